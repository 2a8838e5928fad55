"""RQ's worker, with the two habits that this product needs."""

from __future__ import annotations

import signal

from rq import Worker as RQWorker


class Worker(RQWorker):
    """Comes back soon after the queue server does, and tells its running job that it should end."""

    # Seconds; a worker that died without a word is missed after this long.
    TTL = 60
    # RQ would wait for up to a minute before it looks whether the server is back.
    max_connection_wait_time = 2.0

    def handle_warm_shutdown_request(self) -> None:
        """A job that sends stops after its present request; see jobs.drain."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            self.kill_horse(signal.SIGTERM)
