from celery import Celery
from celery.contrib.testing.worker import start_worker


def test_a_task_is_run(amqp_url):
    app = Celery("shop", broker=amqp_url, backend="rpc://")

    @app.task
    def add(x, y):
        return x + y

    # With its heartbeat the worker looks up now and then, and ends when it is to.
    with start_worker(app, perform_ping_check=False, without_heartbeat=False):
        assert add.delay(2, 3).get(timeout=10) == 5
