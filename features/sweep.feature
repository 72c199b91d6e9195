@needs-deploying @needs-kubernetes
Feature: Sweeping up after killed runs
  A killed run cannot clean up after itself. Each object of its own carries its id, and the run renews a mark
  as long as it lives. The next run on the cluster removes the objects of dead runs, and only those, and says so.

  @core @needs-ingress
  Rule: The next run removes the leftovers of a killed one

    Scenario: A killed run leaves a namespace, and objects beside the release
      Given the live release
      And another run with objects of its own on the cluster
      And that run has been killed
      When the leftovers of dead runs are swept
      Then nothing of the other run is left on the cluster
      And the sweep reports what it removed, and of which run

    @needs-database-list
    Scenario: A killed run leaves a database in the release
      Given the live release
      And another run with a database of its own in the release
      And that run has been killed
      When the leftovers of dead runs are swept
      Then the other run's database is gone
      And the release is still live

  @core @needs-ingress
  Rule: A sweep removes nothing of others

    Scenario: A run that is alive keeps its objects
      Given the live release
      And another run with objects of its own on the cluster
      When the leftovers of dead runs are swept
      Then everything of the other run is there

    Scenario: A sweep leaves lasting releases and foreign objects alone
      Given the release, live in a namespace of its own
      And foreign objects beside it
      When the leftovers of dead runs are swept
      Then the foreign objects are untouched
      And the release is still live
