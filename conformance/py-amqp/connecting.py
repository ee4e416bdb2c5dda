"""py-amqp's connection: opening, refusal, mechanisms, heartbeats."""

import time

import amqp
from amqp import exceptions, sasl

from session import connection, get_one, own_queue, raises
from checks import check, equal, eventually, main


def echo(conn):
    ch = conn.channel()
    queue = own_queue(ch)
    ch.basic_publish(amqp.Message('echo'), '', queue)
    equal(get_one(ch, queue).body, 'echo')


@check('the server properties say who it is and what it can do')
def _():
    with connection() as conn:
        equal(conn.server_properties['product'], 'RabbitMQ')
        assert conn.server_properties['version'].split('.')[0] in ('3', '4'), conn.server_properties['version']
        equal(conn.server_capabilities['consumer_cancel_notify'], True)
        assert 'PLAIN' in [m.decode() if isinstance(m, bytes) else m for m in conn.mechanisms], conn.mechanisms


@check('PLAIN and AMQPLAIN both log in')
def _():
    for mechanism in (sasl.PLAIN('guest', 'guest'), sasl.AMQPLAIN('guest', 'guest')):
        with connection(authentication=[mechanism]) as conn:
            echo(conn)


@check('a wrong password is refused with 403')
def _():
    for mechanism in ('PLAIN', 'AMQPLAIN'):
        with raises(exceptions.AccessRefused, 403, 'ACCESS_REFUSED - Login was refused using authentication mechanism %s. '
                                                   'For details see the broker logfile.' % mechanism):
            with connection(authentication=[getattr(sasl, mechanism)('guest', 'wrong')]):
                pass


@check('an unknown virtual host is refused with 530')
def _():
    with raises(exceptions.NotAllowed, 530, 'NOT_ALLOWED - vhost nowhere not found'):
        with connection(virtual_host='nowhere'):
            pass


@check('limits are as the broker proposes')
def _():
    with connection() as conn:
        equal((conn.channel_max, conn.frame_max), (2047, 131072))
        echo(conn)


@check('heartbeats keep a connection alive that calls heartbeat_tick')
def _():
    with connection(heartbeat=1) as conn:
        equal(conn.heartbeat, 1)
        began = time.monotonic()

        def tick():
            try:
                conn.drain_events(timeout=0.3)
            except TimeoutError:
                pass
            conn.heartbeat_tick(rate=2)

        # idleness itself is what is checked: more than two intervals must pass
        eventually(lambda: time.monotonic() - began > 3.5, tick, 'the time to pass')
        echo(conn)


@check('a hundred channels are opened, used and closed')
def _():
    with connection() as conn:
        channels = [conn.channel() for _ in range(100)]
        queue = own_queue(channels[0])
        for ch in channels:
            ch.basic_publish(amqp.Message('x'), '', queue)
        eventually(lambda: channels[0].queue_declare(queue, passive=True).message_count == 100, what='100 messages')
        for ch in channels[1:]:
            ch.close()
        echo(conn)


@check('callbacks for a blocked connection can be registered')
def _():
    with connection(on_blocked=lambda reason: None, on_unblocked=lambda: None) as conn:
        echo(conn)


main()
