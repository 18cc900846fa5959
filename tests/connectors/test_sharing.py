"""One client for a policy in a process, whoever asks, so that connections are shared and closed."""

from __future__ import annotations

import threading

from connectors.outbound import OutboundClient, OutboundPolicy, client_for


def test_threads_that_come_together_share_one_client():
    """Each further client would keep a connection open that nobody closes."""
    policy = OutboundPolicy(total_seconds=17.25)  # one that no other test has made yet
    together = threading.Barrier(8)
    found: list[OutboundClient] = []

    def come() -> None:
        together.wait()
        found.append(client_for(policy))

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in found}) == 1
