"""A broker for the whole test run: needs Node.js, and `npm install --save-dev warrenmq`."""
import subprocess

import pytest


@pytest.fixture(scope="session")
def amqp_url():
    broker = subprocess.Popen(
        ["npx", "warrenmq", "--in-memory", "--port", "0", "--print-url"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield broker.stdout.readline().strip()
    finally:
        broker.terminate()
        broker.wait(timeout=10)
