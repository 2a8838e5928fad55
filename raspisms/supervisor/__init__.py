"""`raspisms up`: everything in one command, restarted when it dies, gone when it ends."""

from .family import Family, Service
from .services import services, workers

__all__ = ["Family", "Service", "services", "workers"]
