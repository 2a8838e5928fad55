"""`raspisms up`: everything in one command, restarted when it dies, gone when it ends."""

from .services import services, workers
from .watch import Family, Service

__all__ = ["Family", "Service", "services", "workers"]
