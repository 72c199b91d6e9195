Feature: Service discovery
  A live release is announced: the platform finds it in its catalogue, and the shells of
  code-server, in which people work, know its address and its token.
  What is not live is not announced, and what is rolled back is forgotten.

  @core @needs-ingress
  Rule: The platform finds a live release, and in its entry all that it reads, to the letter

    Scenario: The entry is the documented one
      Given the live release
      When the platform looks for services
      Then it finds the release, as its reader has it
      And the entry is labelled
        | thinkube.io/managed           | true        |
        | thinkube.io/service-type      | optional    |
        | thinkube.io/service-name      | {namespace} |
        | thinkube.io/component-version | {version}   |
      And the entry says
        | name                                       | {namespace}                      |
        | display_name                               | Chroma                           |
        | type                                       | optional                         |
        | category                                   | ai                               |
        | icon                                       | /icons/tk_vector.svg             |
        | component_version                          | "{version}"                      |
        | endpoints.api.type                         | http                             |
        | endpoints.api.url                          | https://{host}                   |
        | endpoints.api.health_url                   | https://{host}/api/v2/heartbeat  |
        | endpoints.api.primary                      | true                             |
        | dependencies                               | []                               |
        | scaling.resource_type                      | statefulset                      |
        | scaling.resource_name                      | chroma                           |
        | scaling.namespace                          | {namespace}                      |
        | scaling.min_replicas                       | 1                                |
        | scaling.can_disable                        | true                             |
        | metadata.authentication                    | token                            |
        | metadata.persistence                       | true                             |
        | metadata.license                           | Apache-2.0                       |
        | environment_variables.CHROMA_API_URL.value | https://{host}                   |

    # By its own rule the platform also takes for healthy what asks for a token, under whatever address.
    Scenario: The platform finds the release in health
      Given the live release
      When the platform asks how the release is
      Then it takes the release for healthy
      And the answer is the heartbeat

  @core @needs-disposable
  Rule: The safe form shows no secret to those who may read ConfigMaps; the documented form shows them the token

    Scenario: The safe form names the Secret of the token
      Given the release, live and announced in a namespace of its own
      When it is announced in the safe form
      Then no ConfigMap shows the value of a Secret
      And the entry names the Secret that holds the token

    Scenario: The documented form shows the token itself
      Given the release, live and announced in a namespace of its own
      When it is announced in the documented form
      Then the entry shows the token

  @core @needs-disposable
  Rule: Only what is live is announced

    Scenario: The platform hears nothing of a release that is refused
      Given the release, live and announced in a namespace of its own
      When the release "unschedulable" is applied, which is to be announced in the documented form
      Then it is refused because it cannot be scheduled
      And the release is live
      And the platform was told nothing new

  @extended @needs-disposable
  Rule: Every new shell of code-server knows a live release

    Scenario Outline: The shells know a release that is announced in the <form> form
      Given the release, live and announced in a namespace of its own
      And code-server beside it, in which another component is known
      When it is announced in the <form> form
      Then every new shell knows its address and its token
      And what starts a shell reads its variables once, beside what it read before

      Examples:
        | form       |
        | safe       |
        | documented |

    Scenario: Any value reaches the shells as it is
      Given the release, live and announced in a namespace of its own
      And code-server beside it
      When a component announces any values
      Then every new shell knows them as they are

    Scenario: Without code-server a release goes live nevertheless
      Given the release, live and announced in a namespace of its own
      And no code-server beside it
      When the release is applied
      Then the release is live
      And it is said that no code-server runs

  @core @needs-disposable
  Rule: What is rolled back is forgotten, and nothing else is

    Scenario: Neither the platform nor a shell knows a release that is rolled back
      Given the release, live and announced in a namespace of its own
      And code-server beside it, in which another component is known
      When the release is rolled back
      Then the platform finds it no more
      And no new shell knows it
      And every new shell knows the other component
