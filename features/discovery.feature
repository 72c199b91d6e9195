@needs-kubernetes
Feature: Service discovery
  A live release is registered with the platform: its catalogue lists the release, and the
  shells of code-server, in which people work, have its address and its token.
  A release that is not live is not registered, and a roll back removes the entry.

  @core @needs-ingress
  Rule: The platform finds a live release, with each documented field in its entry

    Scenario: The entry is the documented one
      Given the live release
      When the platform looks for services
      Then the entry parses as the platform's reader parses it
      And the entry is labelled
        | thinkube.io/managed           | true        |
        | thinkube.io/service-type      | optional    |
        | thinkube.io/service-name      | {namespace} |
        | thinkube.io/component-version | {version}   |
      And the entry says
        | name                                       | {namespace}                     |
        | display_name                               | Chroma                          |
        | type                                       | optional                        |
        | category                                   | ai                              |
        | icon                                       | /icons/tk_vector.svg            |
        | component_version                          | "{version}"                     |
        | endpoints.api.type                         | http                            |
        | endpoints.api.url                          | https://{host}                  |
        | endpoints.api.health_url                   | https://{host}/api/v2/heartbeat |
        | endpoints.api.primary                      | true                            |
        | dependencies                               | []                              |
        | scaling.resource_type                      | statefulset                     |
        | scaling.resource_name                      | chroma                          |
        | scaling.namespace                          | {namespace}                     |
        | scaling.min_replicas                       | 1                               |
        | scaling.can_disable                        | true                            |
        | metadata.authentication                    | token                           |
        | metadata.persistence                       | true                            |
        | metadata.license                           | Apache-2.0                      |
        | environment_variables.CHROMA_API_URL.value | https://{host}                  |

    # The platform counts a 401 as healthy, too, whatever the URL.
    Scenario: The platform reports the release as healthy
      Given the live release
      When the platform checks the health of the release
      Then it reports the release as healthy
      And the answer is the heartbeat

  @core @needs-disposable @needs-deploying
  Rule: The safe entry shows no secret to readers of ConfigMaps; the documented entry shows them the token

    Scenario: The safe entry names the Secret of the token
      Given the release, live and registered in a namespace of its own
      When it is registered with the safe entry
      Then no ConfigMap shows the value of a Secret
      And the entry names the Secret that holds the token

    Scenario: The documented entry shows the token itself
      Given the release, live and registered in a namespace of its own
      When it is registered with the documented entry
      Then the entry shows the token

  @core @needs-disposable @needs-deploying
  Rule: Only a live release is registered

    Scenario: A refused release is not registered
      Given the release, live and registered in a namespace of its own
      When the release "unschedulable" is applied with the documented entry
      Then it is refused because it cannot be scheduled
      And the release is live
      And the registered entry is unchanged

  @extended @needs-disposable @needs-deploying
  Rule: Every new shell of code-server has the address and the token of a live release

    Scenario Outline: The shells know a release with the <entry> entry
      Given the release, live and registered in a namespace of its own
      And a running code-server that knows another component
      When it is registered with the <entry> entry
      Then every new shell has its address and its token
      And the shells' start-up file sources the variables exactly once and keeps its other lines

      Examples:
        | entry      |
        | safe       |
        | documented |

    Scenario: Any value reaches the shells unchanged
      Given the release, live and registered in a namespace of its own
      And a running code-server
      When a component registers any values
      Then every new shell has them unchanged

    Scenario: Without code-server a release still goes live
      Given the release, live and registered in a namespace of its own
      And no running code-server
      When the release is applied
      Then the release is live
      And the apply says that no code-server runs

  @core @needs-disposable @needs-deploying
  Rule: A roll back removes the entry of the release, and no other

    Scenario: After a roll back neither the platform nor a shell knows the release
      Given the release, live and registered in a namespace of its own
      And a running code-server that knows another component
      When the release is rolled back
      Then the platform no longer finds it
      And no new shell knows it
      And every new shell knows the other component
