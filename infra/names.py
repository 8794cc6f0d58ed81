"""The name of the bus, its archive, the schedule group and the dashboard; alarms and saved queries begin with it."""

NAME = "lightsail-snapshots"
