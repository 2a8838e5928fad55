"""`raspisms up`: everything in one command, restarted when it dies, gone when it ends."""

from .services import services, workers
from .watch import Service, Watch

__all__ = ["Service", "Watch", "services", "workers"]
