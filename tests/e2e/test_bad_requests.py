"""A bad request makes no Lightsail call and no retry; it ends in one event with all its problems."""

from tests.e2e.deployment import Deployment


def test_bad_request_ends_in_one_event_with_every_problem(stack: Deployment) -> None:
    stack.aws.control("POST", "/_lightsail/faults", {"fault": "throttle", "times": 1000})  # it counts all calls
    detail = {"instanceName": "-", "region": "us-east-1a", "tags": {"aws:x": 1}, "instanceNmae": "web"}

    (request,) = stack.request(detail)

    failure = stack.failed(request)
    assert failure["reason"] == "InvalidRequest"
    for place in ("instanceName", "region", "tags.aws:x", "instanceNmae"):
        assert any(problem.startswith(f"detail.{place}:") for problem in failure["problems"]), place
    assert failure["request"]["detail"] == detail
    stack.drain()
    assert len(stack.outcomes(request)) == 1
    assert stack.depth("CreateDeadLetterQueue") == 0
    (counter,) = stack.faults_left()
    assert counter["times"] == 1000


def test_message_that_is_no_event_ends_in_the_same_way(stack: Deployment) -> None:
    (message,) = stack.deliver("this is not JSON")

    detail = stack.failed(message)
    assert detail["reason"] == "InvalidRequest"
    assert detail["problems"]
    assert detail["request"] == "this is not JSON"
    stack.drain()
    assert stack.depth("CreateDeadLetterQueue") == 0


def test_good_requests_succeed_when_others_of_the_batch_are_bad(stack: Deployment) -> None:
    instances = [stack.instance() for _ in range(2)]

    good, bad, other, missing = stack.request(
        {"instanceName": instances[0]}, {"bogus": True}, {"instanceName": instances[1]}, {"instanceName": "no-such"}
    )

    assert {stack.available(request)["instanceName"] for request in (good, other)} == set(instances)
    assert stack.failed(bad)["reason"] == "InvalidRequest"
    assert stack.failed(missing)["reason"] == "InstanceNotFound"
