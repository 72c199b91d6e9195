@needs-deploying @needs-kubernetes @needs-disposable @needs-integrity
Feature: Exhaustion
  A release runs out of memory or of room while its users write. It may stop then, and
  refuse what it cannot keep; what it has acknowledged it has again afterwards.

  @core
  Rule: Acknowledged records survive that memory runs out

    # The kernel kills Chroma's process at whatever moment; the kubelet starts it again.
    Scenario: Records survive a release that runs out of memory
      Given the release, live with little memory in a namespace of its own
      And an empty collection whose index is written with every 100 records
      When a user asks for more than it has memory for while two writers add records
      Then the collection holds every acknowledged record, as it was written
      And queries find its records

  @core @needs-storage-limit
  Rule: Acknowledged records survive that the claim runs full, and a start on a full claim

    Scenario: Records survive a full claim
      Given the release, live on a small claim in a namespace of its own
      And an empty collection
      When its claim runs full under two writers, its pod is replaced, and there is room again
      Then the collection holds every acknowledged record, as it was written
      And queries find its records
