Feature: Sweeping up after runs that were killed
  A run that is killed cannot clean up after itself. What is its own alone carries its id, and a mark that is renewed
  as long as it lives. The next run on the cluster removes what belongs to dead runs, and only that, and says so.

  @core @needs-ingress
  Rule: What a killed run has left is removed by the next one

    Scenario: A killed run leaves a namespace, and things beside the release
      Given the live release
      And another run with things of its own on the cluster
      And that run has been killed
      When what dead runs have left is swept
      Then nothing of the other run is left on the cluster
      And it is told what was removed, and whose it was

    @needs-database-list
    Scenario: A killed run leaves a database in the release
      Given the live release
      And another run with a database of its own in the release
      And that run has been killed
      When what dead runs have left is swept
      Then the other run's database is gone
      And the release is live still

  @core @needs-ingress
  Rule: What others have is left alone

    Scenario: A run that lives keeps what it has
      Given the live release
      And another run with things of its own on the cluster
      When what dead runs have left is swept
      Then everything of the other run is there

    Scenario: What lasts, and what is somebody else's, is not swept
      Given the release, live in a namespace of its own
      And things of somebody else beside it
      When what dead runs have left is swept
      Then what is somebody else's is untouched
      And the release is live still
