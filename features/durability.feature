Feature: Durability
  What a release has acknowledged is still there when its pod or its process is gone.
  Contents are compared and questions asked, since a count stays right long
  after the vectors are lost. Not promised is a kill in the moment in which Chroma
  writes its index, after every 1,000 records: that can break a collection for good.

  Background:
    Given the live release

  @core
  Rule: What a release has acknowledged outlives its pod

    # Up to the sync threshold of 1,000 records the vectors are in the log alone, beyond it in the index on disk.
    Scenario: Records survive the pod's deletion
      Given a collection of 200 records
      When the pod is deleted and replaced while a writer adds more
      Then the collection holds every acknowledged record, as it was written
      And questions find its records

    Scenario: Records beyond the sync threshold survive the pod's deletion
      Given a collection of 1200 records
      When the pod is deleted and replaced while a writer adds more
      Then the collection holds every acknowledged record, as it was written
      And questions find its records

  @core
  Rule: What one writer was told below the sync threshold outlives Chroma's process

    @needs-disposable
    Scenario: Records survive a kill of the process
      Given a collection of 200 records
      When Chroma's process is killed while a writer adds more
      Then the collection holds every acknowledged record, as it was written
      And questions find its records

  @extended
  Rule: Records lie on the claim, where backups look for them

    Scenario: The database lies on the claim
      Given an empty collection
      When a record is added and another pod searches the claim for it
      Then it is found in the database on the claim

  @core
  Rule: What one client has written, every client sees

    Scenario: A record added by one client is there for another
      Given a collection of 10 records
      When another client adds record 11 through the Service
      Then the collection holds 11 records, each as it was written
