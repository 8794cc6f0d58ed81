"""The list of all beliefs."""

from lightsail_snapshots_cli.doctor.account_beliefs import ACCOUNT
from lightsail_snapshots_cli.doctor.lightsail_beliefs import LIGHTSAIL
from lightsail_snapshots_cli.doctor.other_beliefs import OTHERS

CHECKED = (*LIGHTSAIL, *ACCOUNT)
BELIEFS = (*CHECKED, *OTHERS)
