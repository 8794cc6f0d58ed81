"""Beliefs about IAM and about the deployed stack that `doctor` checks."""

from lightsail_snapshots_cli.doctor.belief import Belief

AUTHORIZATION = "Service Authorization Reference"

PERMISSIONS = (
    Belief(
        id="iam-create-tags",
        text="Tags in CreateInstanceSnapshot need no permission for TagResource.",
        certainty="unknown",
        source="AWS's CloudFormation type asks for it, the reference lists no dependent action",
        use="The role of `create` may call TagResource, under the same condition.",
        check="A snapshot with tags by a role that may only create.",
    ),
    Belief(
        id="iam-request-tag",
        text="`aws:RequestTag` decides who may create a snapshot.",
        certainty="documented",
        source=AUTHORIZATION,
        use="`create` can make only snapshots with our tag.",
        check="A snapshot without the tag, by a role that must give it.",
    ),
    Belief(
        id="iam-instance-tag",
        text="`aws:ResourceTag` of the instance decides who may create a snapshot of it.",
        certainty="unknown",
        source=f"the {AUTHORIZATION} says so, the API reference names only request tags",
        use="Nothing relies on it: no policy of the stack has such a condition.",
        check="A snapshot by a role for instances with another tag, then by one for those with the right tag.",
    ),
    Belief(
        id="iam-delete-tag",
        text="`aws:ResourceTag` decides who may delete a snapshot.",
        certainty="documented",
        source=AUTHORIZATION,
        use="`prune` can delete only what is ours, and nothing on hold.",
        check="A deletion by a role that may delete only snapshots with another tag, then by one with the right tag.",
    ),
    Belief(
        id="iam-tagging",
        text="`aws:ResourceTag` decides who may tag a snapshot.",
        certainty="documented",
        source=AUTHORIZATION,
        use="`create`, `copy` and `drill` can tag nothing of another owner.",
        check="TagResource by a role that may tag only what has another owner's tag, then by one with the right one.",
    ),
    Belief(
        id="iam-key-case",
        text="The keys of tags in conditions are compared without case.",
        certainty="documented",
        source="IAM user guide",
        use="Our keys are reserved in any case. If not, no policy sees a `Managed-By=terraform`; the code does.",
        check="TagResource under a condition on `Managed-By`.",
    ),
    Belief(
        id="iam-restore-tags",
        text="Tags in CreateInstancesFromSnapshot need no permission for TagResource.",
        certainty="unknown",
        source="",
        use="The role of `drill` lacks it: with it, it could make any instance a clone. If it is needed, drills fail.",
        check="An instance with tags by a role that may only create instances from snapshots.",
    ),
    Belief(
        id="iam-denial",
        text="A denial is AccessDeniedException, and its text names the action.",
        certainty="secondary",
        source="an error that a user of another tool reported",
        use="Functions fail with AccessDenied and do not retry; commands say which permission is missing.",
        check="The error of the denied creation.",
    ),
)
STACK = (
    Belief(
        id="bus-source",
        text="EventBridge evaluates the Deny of the bus policy for its own account too.",
        certainty="documented",
        source="IAM user guide: an explicit Deny always wins",
        use="Only the stack's roles can use our source, so nobody else can ask to prune, audit, copy or restore.",
        check="PutEvents with our source and a detail-type that no rule of ours takes.",
    ),
    Belief(
        id="stack-schedules",
        text="Scheduler may assume its role, and put events by source and detail-type.",
        certainty="documented",
        source="EventBridge Scheduler user guide",
        use="Everything that runs by itself.",
        check="The log of `audit` has a line of the last day.",
    ),
    Belief(
        id="stack-log-text",
        text="CloudWatch Logs finds JSON lines by a text in quotation marks.",
        certainty="documented",
        source="CloudWatch Logs user guide",
        use="`why`, `take --wait` and the page of `status`.",
        check="The request id of such a line, as a filter.",
    ),
    Belief(
        id="stack-metrics",
        text="Metrics come out of the log lines, with Lambda's JSON log format.",
        certainty="documented",
        source="Lambda developer guide",
        use="Alarms and dashboard.",
        check="The namespace LightsailSnapshots in CloudWatch.",
    ),
)
ACCOUNT = (*PERMISSIONS, *STACK)
