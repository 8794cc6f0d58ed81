"""The console script `lightsail-snapshots`."""

from importlib import import_module
from typing import Any

import click

from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots_cli.account import NotSignedInError
from lightsail_snapshots_cli.errors import INTERRUPTED, NOT_SIGNED_IN, CommandError, explain

MODULES = {
    "status": "status",
    "why": "why",
    "take": "take",
    "hold": "hold",
    "release": "hold",
    "preview": "preview",
    "prune": "prune",
    "audit": "audit",
    "restore": "restore",
    "drill": "drill",
    "replay": "replay",
    "adopt": "adopt",
    "forget": "forget",
    "leave": "leave",
    "doctor": "doctor.command",
}
"""The module of each command, in the order of the help. Only the one that is run is imported: all take a second."""


class Commands(click.Group):
    """A group that ends with one sentence and the exit status of its kind instead of a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's own
        """Return the names of all commands."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's own
        """Import a command."""
        if cmd_name not in MODULES:
            return None
        found: click.Command = getattr(import_module(f"lightsail_snapshots_cli.{MODULES[cmd_name]}"), cmd_name)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except AwsError as error:
            raise explain(error) from error
        except NotSignedInError as error:
            raise CommandError(str(error), NOT_SIGNED_IN) from error
        except (KeyboardInterrupt, click.Abort) as error:
            raise CommandError("Interrupted.", INTERRUPTED) from error


_EXIT_STATUSES = """\b
Exit status:
  0    done
  1    failed
  2    usage
  3    something is overdue
  4    still pending at --timeout
  5    no such instance or snapshot
  6    no valid credentials, or no Region
  7    access denied
  10   no deployment found
  130  interrupted
"""


@click.group(cls=Commands, epilog=_EXIT_STATUSES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lightsail-snapshots", message="%(prog)s %(version)s")
def main() -> None:
    """Snapshots of Amazon Lightsail instances that people can trust.

    Credentials, profile and Region come from the environment, as for every AWS tool. The Region is that of the stack.
    """
