Feature: Backing a release up and restoring it
  An operator copies what a release holds into one file, and brings it back into an empty claim.
  While it is copied the release rests; afterwards it is live, whatever became of the copy.
  A file that is not whole is refused before anything is touched, and nothing is ever overwritten.

  @core
  Rule: What was backed up comes back as it was

    Scenario: A restored release holds what the one before it held
      Given the live release
      And a collection of 1200 records
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
