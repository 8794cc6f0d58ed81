"""A role that `doctor` makes for some minutes, to see what IAM decides.

Each session of it has a policy of its own, and can do only what both allow. The role can do nothing to what lacks our
tag, and only this run knows the external id that assuming it needs.
"""

import json
import secrets
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lightsail_snapshots.aws.errors import AccessDeniedError, AwsError, translate_errors
from lightsail_snapshots.naming import MANAGED_BY_KEY
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.doctor.attempt import SECONDS_BETWEEN_ATTEMPTS, DeniedError, attempt
from lightsail_snapshots_cli.doctor.calls import CONFIG, NotYetError, api_tags, read_anywhere
from lightsail_snapshots_cli.doctor.names import ROLE, TAGS
from lightsail_snapshots_cli.errors import missing_action

Statement = dict[str, Any]

_SECONDS_TO_SPREAD = 90
"""How long a new role may take until every part of AWS knows it."""
_POLICY = "doctor"
_SESSION = "doctor"
INSTANCES, SNAPSHOTS = (f"arn:aws:lightsail:*:*:{kind}/*" for kind in ("Instance", "InstanceSnapshot"))
_OF_REQUEST = {f"aws:RequestTag/{MANAGED_BY_KEY}": TAGS[MANAGED_BY_KEY]}
_OF_RESOURCE = {f"aws:ResourceTag/{MANAGED_BY_KEY}": TAGS[MANAGED_BY_KEY]}


def allow(action: str, resource: str = "*", **condition: dict[str, str]) -> Statement:
    """Return a statement that allows one action of Lightsail."""
    statement: Statement = {"Effect": "Allow", "Action": f"lightsail:{action}", "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


_ALLOWED = document(
    allow("GetRegions"),
    allow("CreateInstanceSnapshot", INSTANCES, StringEquals=_OF_REQUEST),
    allow("DeleteInstanceSnapshot", SNAPSHOTS, StringEquals=_OF_RESOURCE),
    allow("TagResource", SNAPSHOTS, StringEquals={**_OF_REQUEST, **_OF_RESOURCE}),
    allow("CreateInstancesFromSnapshot", SNAPSHOTS, StringEquals={**_OF_REQUEST, **_OF_RESOURCE}),
)


class Role:
    """The role, which is global, and its sessions in one Region."""

    def __init__(self, region: str) -> None:
        """Nothing is made yet."""
        self._region = region
        self._external_id = secrets.token_urlsafe()
        self._arn = ""
        self.may_exist = False
        """Whether this run has asked for it."""

    @cached_property
    def _iam(self) -> Any:
        return boto3.client("iam", region_name=self._region, config=CONFIG)

    @cached_property
    def _sts(self) -> Any:
        return boto3.client("sts", region_name=self._region, config=CONFIG)

    def is_left(self) -> bool:
        """Tell whether an earlier run has left the role. Raises AwsError or DeniedError."""
        return self._is_ours(self._find())

    def open(self) -> None:
        """Make the role, and wait until its sessions work. Raises AwsError, DeniedError or NotYetError."""
        account = read_anywhere(self._sts.get_caller_identity)["Account"]
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": self._external_id}},
        }
        if self._find() is not None:
            raise NotYetError(f"a role {ROLE} is there already, and is not of doctor")
        self.may_exist = True
        tags = [{"Key": tag["key"], "Value": tag["value"]} for tag in api_tags()]
        description = "Of lightsail-snapshots doctor, for some minutes. Delete it if doctor does not run."
        create = partial(self._iam.create_role, RoleName=ROLE, AssumeRolePolicyDocument=document(trust))
        self._arn = read_anywhere(lambda: create(Tags=tags, Description=description))["Role"]["Arn"]
        read_anywhere(lambda: self._iam.put_role_policy(RoleName=ROLE, PolicyName=_POLICY, PolicyDocument=_ALLOWED))
        self._wait()

    def session(self, *statements: Statement) -> Any:
        """Return a client of Lightsail that can do what these statements and the role allow. Raises AwsError."""
        policy = document(*statements)
        with translate_errors():
            answer = self._sts.assume_role(
                RoleArn=self._arn, RoleSessionName=_SESSION, ExternalId=self._external_id, Policy=policy
            )
        return make_client(self._region, answer["Credentials"], policy)

    def close(self) -> None:
        """Delete the role if it is ours. Raises AwsError or DeniedError."""
        if not self._is_ours(self._find()):
            return
        _unless_missing(partial(self._iam.delete_role_policy, RoleName=ROLE, PolicyName=_POLICY))
        _unless_missing(partial(self._iam.delete_role, RoleName=ROLE))
        self.may_exist = False

    def _find(self) -> dict[str, Any] | None:
        answer = _unless_missing(partial(self._iam.get_role, RoleName=ROLE))
        return dict(answer["Role"]) if answer else None

    @staticmethod
    def _is_ours(role: dict[str, Any] | None) -> bool:
        tags = {tag["Key"]: tag["Value"] for tag in (role or {}).get("Tags", [])}
        return TAGS.items() <= tags.items()

    def _wait(self) -> None:
        """Wait until a session may do what it can do at most."""
        deadline = clock.monotonic() + _SECONDS_TO_SPREAD
        while error := self._try_session():
            if clock.monotonic() > deadline:
                if isinstance(error, AccessDeniedError) and missing_action(error) == "sts:AssumeRole":
                    raise DeniedError("sts:AssumeRole")
                raise NotYetError(f"the new role cannot be used: {error}")
            clock.sleep(SECONDS_BETWEEN_ATTEMPTS)

    def _try_session(self) -> AwsError | None:
        try:
            client = self.session(allow("GetRegions"))
        except AccessDeniedError as error:
            return error
        return attempt(client.get_regions, may_be_denied=True).error


def _unless_missing(call: Callable[[], Any]) -> Any:
    """Return the answer of IAM, or None if there is no such thing."""
    try:
        return read_anywhere(call)
    except AwsError as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and cause.response["Error"].get("Code") == "NoSuchEntity":
            return None
        raise


def make_client(region: str, credentials: dict[str, str], _policy: str) -> Any:
    """Return a client with the credentials of a session. Tests have a policy decide here."""
    return boto3.client(
        "lightsail",
        region_name=region,
        config=CONFIG,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
