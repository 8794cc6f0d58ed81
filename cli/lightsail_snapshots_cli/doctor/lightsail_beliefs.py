"""Beliefs about Lightsail that `doctor` checks."""

from lightsail_snapshots_cli.doctor.belief import Belief

GUIDE = "Lightsail developer guide"
MODEL = "AWS SDK's service model"
SAMPLES = "sample output of the AWS CLI"
OTHERS = "other tools' code and issues"

REGIONS = (
    Belief(
        id="regions",
        text="The SDK knows exactly the Regions that GetRegions lists, also the newest three.",
        certainty="unknown",
        source="",
        use="A Region is valid if the SDK knows it. One that Lightsail lacks fails when it is called, with its reason.",
        check="GetRegions, and the SDK's list of Regions.",
    ),
    Belief(
        id="region-not-enabled",
        text="A Region that is not enabled rejects the credentials: UnrecognizedClientException or alike.",
        certainty="unknown",
        source="",
        use="`status` skips such a Region silently; after any other error it says so.",
        check="GetInstances in every Region.",
    ),
    Belief(
        id="page-size",
        text="A page of a list may have any number of entries.",
        certainty="unknown",
        source="",
        use="All lists are read to the end, whatever the size of a page.",
        check="The first page of GetOperations.",
    ),
    Belief(
        id="not-found",
        text="A missing instance is NotFoundException, or an error whose text or sub-code says DoesNotExist.",
        certainty="secondary",
        source=f"{MODEL}; Terraform's provider matches both",
        use="`create` fails with InstanceNotFound; `prune`, `copy`, `drill` take what is gone for gone.",
        check="A snapshot of an instance that does not exist.",
    ),
)
INSTANCES = (
    Belief(
        id="pending-instance",
        text="A snapshot of an instance that is being made is rejected with an error that a retry can cure.",
        certainty="unknown",
        source="",
        use="`create` retries each error except those that it knows to be final. If Lightsail accepts: fine too.",
        check="CreateInstanceSnapshot right after CreateInstances.",
    ),
    Belief(
        id="pending-ports",
        text="The ports of an instance that is being made can be closed.",
        certainty="unknown",
        source="",
        use="`drill` closes them at once, and again at each look until they are closed.",
        check="CloseInstancePublicPorts right after CreateInstances.",
    ),
    Belief(
        id="status-check",
        text="GetInstanceMetricData has data of StatusCheckFailed some minutes after the instance runs.",
        certainty="unknown",
        source="",
        use="`drill` waits for it, up to its time limit (45 minutes).",
        check="GetInstanceMetricData until it has data, for ten minutes.",
    ),
    Belief(
        id="stopping-instance",
        text="A snapshot of an instance that is stopping is rejected with an error that a retry can cure.",
        certainty="unknown",
        source="",
        use="`create` retries. If Lightsail accepts: fine too.",
        check="CreateInstanceSnapshot right after StopInstance.",
    ),
    Belief(
        id="stopped-instance",
        text="A stopped instance can be snapshotted.",
        certainty="unknown",
        source="nothing in the guide forbids it",
        use="If not, `create` fails with Lightsail's reason, or retries until its deadline (TimedOut).",
        check="CreateInstanceSnapshot of the stopped instance.",
    ),
)
SNAPSHOTS = (
    Belief(
        id="visible",
        text="A new snapshot is visible to reads within ten minutes.",
        certainty="unknown",
        source="",
        use="A missing snapshot is final only if no read can be stale: `create` and `copy` retry for ten minutes.",
        check="GetInstanceSnapshot right after CreateInstanceSnapshot.",
    ),
    Belief(
        id="name-in-use",
        text="A second snapshot of the same name is rejected: sub-code NameExists, or a text with `already in use`.",
        certainty="secondary",
        source=f"{GUIDE} (text); {OTHERS} (sub-code)",
        use="The name is the idempotency key: a repeated request must not make a second snapshot.",
        check="The same CreateInstanceSnapshot twice.",
    ),
    Belief(
        id="one-namespace",
        text="All types of resources in a Region share one set of names.",
        certainty="secondary",
        source=f"{GUIDE} (DNS zones); {OTHERS}",
        use="`create` reports NameInUse with the type of the owner. Derived names never equal an instance's.",
        check="A snapshot with the name of its instance.",
    ),
    Belief(
        id="bad-name",
        text="An invalid name is InvalidInputException.",
        certainty="secondary",
        source=f"{OTHERS} (a trace)",
        use="`create` fails at once with InvalidRequest; it retries other errors.",
        check="A snapshot with a space in its name.",
    ),
    Belief(
        id="created-at",
        text="A snapshot's createdAt is not earlier than its request by more than five minutes.",
        certainty="secondary",
        source=f"{SAMPLES} (30 and 38 seconds later)",
        use="`create` takes a snapshot that is older than its request for another request's.",
        check="createdAt of a snapshot, and the time of its request.",
    ),
    Belief(
        id="second-snapshot",
        text="A second snapshot of an instance is accepted while one is being made, or rejected with a curable error.",
        certainty="unknown",
        source="",
        use="`create` retries.",
        check="Another CreateInstanceSnapshot while the first is pending.",
    ),
    Belief(
        id="duration",
        text="A snapshot is usable within six hours.",
        certainty="unknown",
        source="",
        use="`create` gives up after six hours (TimedOut); `take --wait` by default after 30 minutes.",
        check="Seconds until the first snapshot of a new instance is available.",
    ),
    Belief(
        id="delete-pending",
        text="A snapshot that is pending can be deleted.",
        certainty="unknown",
        source="",
        use="`prune` and the commands never try. `doctor` retries until it can.",
        check="DeleteInstanceSnapshot right after CreateInstanceSnapshot.",
    ),
    Belief(
        id="dots",
        text="A snapshot's name may have a dot.",
        certainty="unknown",
        source=f"{GUIDE} says yes, the pattern of the {MODEL} no",
        use="Derived names have none. A request may choose a name with one: then Lightsail decides.",
        check="CreateInstanceSnapshot with a dot in the name.",
    ),
    Belief(
        id="key-only-tags",
        text="CreateInstanceSnapshot takes tags without a value.",
        certainty="unknown",
        source=f"{GUIDE} knows such tags; {OTHERS}: CreateDistribution rejects them",
        use="A call that was rejected with such a tag is repeated once without it.",
        check="CreateInstanceSnapshot with such a tag.",
    ),
    Belief(
        id="name-free",
        text="The name of a deleted snapshot is free at once.",
        certainty="unknown",
        source="",
        use="`create` and `copy` retry a name that is in use, and of which nothing is visible, for ten minutes.",
        check="CreateInstanceSnapshot with the name of a snapshot that was just deleted, for two minutes.",
    ),
    Belief(
        id="operations",
        text="Lightsail still lists the operations on a snapshot after its deletion.",
        certainty="unknown",
        source="",
        use="`drill` reads there that its clone was made before. A copy that cannot be identified is left alone.",
        check="GetOperationsForResource after the deletion.",
    ),
)
COPIES = (
    Belief(
        id="copy-pending",
        text="A snapshot that is pending cannot be copied.",
        certainty="unknown",
        source="",
        use="`copy` starts only when its source is usable, and retries each rejected copy.",
        check="CopySnapshot of a pending snapshot.",
    ),
    Belief(
        id="copy-tags",
        text="A copy does not carry the tags of its source.",
        certainty="unknown",
        source="",
        use="`copy` completes the tags in either case.",
        check="GetInstanceSnapshot of a new copy.",
    ),
    Belief(
        id="copy-instance",
        text="A copy tells the instance of its source, by name and ARN.",
        certainty="unknown",
        source="",
        use="If not, our tags on the copy tell it.",
        check="fromInstanceName and fromInstanceArn of a new copy.",
    ),
    Belief(
        id="copy-operation",
        text="The operation of a copy is CopySnapshot, with `REGION:SOURCE` as its details.",
        certainty="documented",
        source=SAMPLES,
        use="`copy` tags a copy whose tags were lost only if this says that it is ours.",
        check="GetOperationsForResource of a new copy.",
    ),
    Belief(
        id="copy-tagging",
        text="A copy can be tagged at once.",
        certainty="unknown",
        source="",
        use="`copy` tags it again at the next delivery if that fails.",
        check="TagResource right after CopySnapshot.",
    ),
)
RESTORES = (
    Belief(
        id="default-key-pair",
        text="A request cannot name the key pair LightsailDefaultKeyPair.",
        certainty="unknown",
        source="",
        use="`restore` and `drill` leave that name out, and the new instance has the default key pair.",
        check="CreateInstancesFromSnapshot with that name.",
    ),
    Belief(
        id="restore-ports",
        text="A restored instance has the default firewall, not that of the old one.",
        certainty="documented",
        source=GUIDE,
        use="`restore` sets all rules, and `drill` closes all, in either case.",
        check="The ports of an instance that is restored from one whose ports were closed.",
    ),
)
LIGHTSAIL = (*REGIONS, *INSTANCES, *SNAPSHOTS, *COPIES, *RESTORES)
