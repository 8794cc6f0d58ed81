"""Bad input never reaches Lightsail, is never tried again, and ends as one event that lists all that is wrong."""

from tests.e2e.deployment import Deployment


def test_a_bad_request_ends_as_one_event_with_every_problem(stack: Deployment) -> None:
    stack.aws.control("POST", "/_lightsail/faults", {"fault": "throttle", "times": 1000})  # a counter of all calls
    detail = {"instanceName": "-", "region": "us-east-1a", "tags": {"aws:x": 1}, "instanceNmae": "web"}

    (request,) = stack.request(detail)

    told = stack.failed(request)
    assert told["reason"] == "InvalidRequest"
    for place in ("instanceName", "region", "tags.aws:x", "instanceNmae"):
        assert any(problem.startswith(f"detail.{place}:") for problem in told["problems"]), (place, told["problems"])
    assert told["request"]["detail"] == detail
    stack.quiet()
    assert len(stack.outcomes(request)) == 1
    assert stack.depth("CreateDeadLetterQueue") == 0
    (counter,) = stack.faults_left()
    assert counter["times"] == 1000


def test_a_message_that_is_no_event_ends_the_same_way(stack: Deployment) -> None:
    (message,) = stack.deliver("this is not JSON")

    told = stack.failed(message)
    assert told["reason"] == "InvalidRequest"
    assert told["problems"]
    assert told["request"] == "this is not JSON"
    stack.quiet()
    assert stack.depth("CreateDeadLetterQueue") == 0


def test_the_good_requests_of_a_batch_go_on_beside_bad_ones(stack: Deployment) -> None:
    instances = [stack.instance() for _ in range(2)]

    good, bad, other, missing = stack.request(
        {"instanceName": instances[0]}, {"bogus": True}, {"instanceName": instances[1]}, {"instanceName": "no-such"}
    )

    assert {stack.available(request)["instanceName"] for request in (good, other)} == set(instances)
    assert stack.failed(bad)["reason"] == "InvalidRequest"
    assert stack.failed(missing)["reason"] == "InstanceNotFound"
