Feature: Backing a release up and restoring it
  An operator copies what a release holds into one file, and brings it back into an empty claim.
  While it is copied the release rests; afterwards it is live, whatever became of the copy.
  A file that is not whole is refused before anything is touched, and nothing is ever overwritten.

  @core
  Rule: What was backed up comes back as it was

    Scenario: A restored release holds what the one before it held
      Given the live release
      And a collection of 10000 records of 384 dimensions
      And a backup of the release
      When the backup is restored into an empty namespace
      Then the restored release is live
      And it holds the collection as it was, and answers questions as before

  @core
  Rule: A backup leaves the release as it was, whatever happens to the copy

    Scenario: A release that was backed up is live, and its backup is the operator's alone
      Given the live release
      And a collection of 10 records
      When the release is backed up
      Then the release lives on as it was
      And nobody but the operator may read the backup
      And the collection holds 10 records, each as it was written

    Scenario: A release is backed up by an operator whose token is another
      Given the live release
      When an operator whose token is another backs it up
      Then the operator is told beforehand that the token is not the release's
      And the release lives on as it was

    Scenario Outline: A backup that fails leaves no half a file: <mishap>
      Given the live release
      When <mishap> during a backup
      Then the backup has failed because <mishap>
      And the release lives on as it was
      And nothing of the backup is left

      Examples:
        | mishap                       |
        | the operator interrupts it   |
        | the operator's disk is full  |

  @core
  Rule: Only a whole backup is restored

    Scenario Outline: A backup is refused that <flaw>
      Given an empty namespace
      And a backup that <flaw>
      When the backup is restored
      Then the restore is refused because the backup <flaw>
      And nothing of the release is left

      Examples:
        | flaw                       |
        | is cut short               |
        | has a bit flipped          |
        | is no archive              |
        | is another kind of archive |
        | has another form           |
        | leads out of the claim     |
        | holds a link               |
        | is of another image        |

  @core
  Rule: Nothing is overwritten

    Scenario: A release is not restored over
      Given the live release
      And a backup that is whole
      When the backup is restored
      Then the restore is refused because the claim is in use
      And the release lives on as it was

    Scenario: A claim that holds something is not restored over
      Given an empty namespace
      And a claim that holds a file of somebody's
      And a backup that is whole
      When the backup is restored
      Then the restore is refused because the claim is not empty
      And the claim holds what it held

  @core @needs-storage-limit
  Rule: A claim without room for a backup is left empty, and a release can live on it

    Scenario: A claim that is too small is left empty
      Given an empty namespace
      And a backup that is larger than a small claim
      When the backup is restored into a small claim
      Then the restore is refused because the claim is too small
      And the claim is empty

    @needs-volume-expansion
    Scenario: A claim that was too small is grown by the next release
      Given an empty namespace
      And a restore that found too little room on a small claim
      When the release is applied
      Then the release is live
      And the claim is as large as the release asks
