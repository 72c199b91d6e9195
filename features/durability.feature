@needs-writing
Feature: Durability
  Acknowledged records survive the loss of the pod and of Chroma's process.
  Each scenario compares contents and runs queries, since a count stays right long
  after the vectors are lost. A kill in the moment in which Chroma writes its index,
  after every 1,000 records, can break a collection for good: only a release that
  looks at its volume before each start promises to survive it.

  Background:
    Given the live release

  @core @disruptive @needs-deploying @needs-kubernetes
  Rule: Acknowledged records survive the pod

    # Up to the sync threshold of 1,000 records the vectors are in the log alone, beyond it in the index on disk.
    Scenario: Records survive the pod's deletion
      Given a new collection of 200 records
      When the pod is deleted and replaced while a writer adds more
      Then the collection holds every acknowledged record, as it was written
      And queries find its records

    Scenario: Records beyond the sync threshold survive the pod's deletion
      Given a new collection of 1200 records
      When the pod is deleted and replaced while a writer adds more
      Then the collection holds every acknowledged record, as it was written
      And queries find its records

  @core @needs-deploying @needs-kubernetes
  Rule: Below 1,000 records, writes acknowledged to a single writer survive a kill

    @disruptive @needs-disposable
    Scenario: Records survive a kill of the process
      Given a new collection of 200 records
      When Chroma's process is killed while a writer adds more
      Then the collection holds every acknowledged record, as it was written
      And queries find its records

  @core @needs-deploying @needs-kubernetes @needs-integrity
  Rule: Acknowledged records survive a kill at any moment, also while the index is written

    @disruptive @needs-disposable
    Scenario: Records of two writers survive kills aimed at the writing of the index
      Given an empty collection whose index is written with every 100 records
      When Chroma's process is killed 3 times while it writes the index, and then the pod is replaced
      Then the collection holds every acknowledged record, as it was written
      And queries find its records

    @disruptive @needs-disposable
    Scenario: Records of two writers survive kills at random moments
      Given an empty collection whose index is written with every 100 records
      When Chroma's process is killed 2 times at random moments, and then the pod is replaced
      Then the collection holds every acknowledged record, as it was written
      And queries find its records

    # Of a history that breaks it, the shortest is shown, with the command that tries the same ones again.
    @disruptive @needs-disposable
    Scenario: Any history of writes, kills and replaced pods
      Then after any history a collection holds what was acknowledged, and its answers have the nearest records

  @core @needs-deploying @needs-kubernetes @needs-integrity
  Rule: A pod is ready only when every collection answers

    # The heartbeat advances while an index is built anew: seconds for thousands of records, minutes for a hundred thousand.
    @disruptive @needs-exec
    Scenario: An index that is built anew keeps users out until it answers
      Given an empty collection whose index takes long to build
      And it holds 3000 records, and its index is torn
      When the pod is replaced
      Then every collection answered before the pod was ready
      And the collection holds every acknowledged record, as it was written

  @extended @needs-deploying @needs-kubernetes
  Rule: Records are stored on the claim, where backups read them

    Scenario: The database is on the claim
      Given an empty collection
      When a record is added and another pod searches the claim for it
      Then it is found in the database on the claim

  @core @needs-vantage
  Rule: Every client sees the writes of every other client

    Scenario: A record added by one client is visible to another
      Given a collection of 10 records
      When another client adds record 11 through the Service
      Then the collection holds 11 records, each as it was written
