"""One account: its Regions, made when first asked for, and what they share."""

from dataclasses import dataclass, field

from local.lightsail import model
from local.lightsail.clock import Clock
from local.lightsail.errors import LightsailError
from local.lightsail.faults import Faults
from local.lightsail.region import Region
from local.lightsail.settings import Settings


@dataclass
class Account:
    """`region` is how everything else gets at the state."""

    id: str
    clock: Clock
    settings: Settings
    faults: Faults
    regions: dict[str, Region] = field(default_factory=dict)

    def region(self, name: str) -> Region:
        """A Region of this account. Where Lightsail has none, AWS has not even an address to ask."""
        if name not in model.regions():
            known = ", ".join(model.regions())
            raise LightsailError(
                "UnrecognizedClientException", f"There is no Lightsail in {name}. Its Regions are {known}."
            )
        return self.regions.setdefault(name, Region(name, self))
