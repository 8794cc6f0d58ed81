"""`audit`: look now which instances are overdue, as the schedule does."""

import click

from lightsail_snapshots.events import AUDIT_REQUESTED
from lightsail_snapshots_cli.deployment import read_deployment
from lightsail_snapshots_cli.errors import OVERDUE
from lightsail_snapshots_cli.invocation import invoke
from lightsail_snapshots_cli.permissions import READ_DEPLOYMENT, may_invoke
from lightsail_snapshots_cli.terminal import print_json, progress

PERMISSIONS = {"audit": (*READ_DEPLOYMENT, may_invoke("Audit"))}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def audit(ctx: click.Context, as_json: bool) -> None:
    """Run the audit now.

    It does what its schedule does: writes the metrics, and notifies about what is newly overdue. Ends with 3 if
    anything is overdue. `status` shows more, and changes no metric.
    """
    deployment = read_deployment()
    progress("Auditing; this may take a minute.")
    answer = invoke(deployment, "audit", AUDIT_REQUESTED)
    overdue: dict[str, int] = answer["overdue"]
    if as_json:
        print_json(answer)
    else:
        for plan, count in overdue.items():
            click.echo(f"plan {plan}: {f'{count} OVERDUE' if count else 'nothing is overdue'}")
    ctx.exit(OVERDUE if any(overdue.values()) else 0)
