@needs-deploying @needs-kubernetes
Feature: Backing a release up and restoring it
  An operator copies the data of a release into one file, and restores it into an empty claim.
  The release stops during the copy; afterwards it is live, even if the copy failed.
  A damaged file is refused before anything changes, and nothing is ever overwritten.

  @core
  Rule: A restored release has the data of the backup

    Scenario: A restored release answers as the original did
      Given the release, live in a namespace of its own
      And a collection of 10000 records of 384 dimensions
      And a backup of the release
      When the backup is restored into an empty namespace
      Then the restored release is live
      And it holds the collection unchanged, and answers queries as before

  @core
  Rule: A backup leaves the release unchanged, even if the copy fails

    @disruptive
    Scenario: After a backup the release is live, and only the operator can read the file
      Given the live release
      And a collection of 10 records
      When the release is backed up
      Then the release is live, and its objects are unchanged
      And only the operator can read the backup
      And the collection holds 10 records, each as it was written

    @disruptive
    Scenario: An operator with another token can back a release up
      Given the live release
      When an operator with another token backs it up
      Then a warning before the backup says that the token is not the release's
      And the release is live, and its objects are unchanged

    @disruptive
    Scenario Outline: A failed backup leaves no partial file: <mishap>
      Given the live release
      When <mishap> during a backup
      Then the backup has failed because <mishap>
      And the release is live, and its objects are unchanged
      And nothing of the backup is left

      Examples:
        | mishap                      |
        | the operator interrupts it  |
        | the operator's disk is full |

  @core
  Rule: Only an intact backup of the same image is restored

    Scenario Outline: A backup that <flaw> is refused
      Given an empty namespace
      And a backup that <flaw>
      When the backup is restored
      Then the restore is refused because the backup <flaw>
      And nothing of the release is left

      Examples:
        | flaw                              |
        | is truncated                      |
        | has a flipped bit                 |
        | is not an archive                 |
        | is another kind of archive        |
        | has an unknown format version     |
        | contains a path outside the claim |
        | contains a link                   |
        | is of another image               |

  @core
  Rule: A restore overwrites nothing

    Scenario: A restore does not overwrite a release
      Given the live release
      And a complete backup
      When the backup is restored
      Then the restore is refused because the claim is in use
      And the release is live, and its objects are unchanged

    Scenario: A restore does not overwrite a claim that holds a file
      Given an empty namespace
      And a claim with a file in it
      And a complete backup
      When the backup is restored
      Then the restore is refused because the claim is not empty
      And the claim is unchanged

  @core @needs-storage-limit
  Rule: A restore that runs out of room leaves the claim empty, and a release can use the claim

    Scenario: A claim that is too small stays empty
      Given an empty namespace
      And a backup that is larger than a small claim
      When the backup is restored into a small claim
      Then the restore is refused because the claim is too small
      And the claim is empty

    @needs-volume-expansion
    Scenario: The next release grows a claim that was too small
      Given an empty namespace
      And a restore that ran out of room on a small claim
      When the release is applied
      Then the release is live
      And the claim has the size that the release requests
