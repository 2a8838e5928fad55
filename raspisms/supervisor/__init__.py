"""`raspisms up`: everything in one command, restarted when it dies, gone when it ends."""

from .services import services, workers
from .watch import Service, Supervisor

__all__ = ["Service", "Supervisor", "services", "workers"]
