"""Connections through pika's BlockingConnection: opening, refusal, limits, heartbeats."""

import socket
import time

import pika
import pika.exceptions

from session import URL, channel, connection, consume_until, get_one, own_queue, parameters
from checks import check, equal, eventually, main


@check('the broker says who it is and what it can do')
def _():
    with connection() as conn:
        properties = conn._impl.server_properties
        equal(properties['product'], 'RabbitMQ')
        assert properties['version'].split('.')[0] in ('3', '4'), properties['version']
        for capability in ('publisher_confirms', 'exchange_exchange_bindings', 'basic.nack', 'consumer_cancel_notify', 'connection.blocked',
                           'consumer_priorities', 'authentication_failure_close', 'per_consumer_qos', 'direct_reply_to'):
            equal(properties['capabilities'][capability], True, capability)
        assert conn.publisher_confirms_supported and conn.consumer_cancel_notify_supported and conn.basic_nack_supported
        assert conn.exchange_exchange_bindings_supported


@check('credentials and virtual host can be given one by one')
def _():
    url = pika.URLParameters(URL)
    given = pika.ConnectionParameters(host=url.host, port=url.port, virtual_host='/', credentials=pika.PlainCredentials('guest', 'guest'))
    conn = pika.BlockingConnection(given)
    equal(get_echo(conn.channel()), b'echo')
    conn.close()
    assert conn.is_closed


def get_echo(ch):
    queue = own_queue(ch)
    ch.basic_publish('', queue, b'echo')
    return get_one(ch, queue)[2]


@check('a wrong password is refused with 403')
def _():
    try:
        pika.BlockingConnection(parameters(credentials=pika.PlainCredentials('guest', 'wrong')))
    except pika.exceptions.ProbableAuthenticationError as error:
        assert "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile." in str(error), error
        return
    raise AssertionError('not refused')


@check('an unknown virtual host is refused with 530')
def _():
    try:
        pika.BlockingConnection(parameters(virtual_host='nowhere'))
    except pika.exceptions.ProbableAccessDeniedError as error:
        equal(str(error), "ConnectionClosedByBroker: (530) 'NOT_ALLOWED - vhost nowhere not found'")
        return
    raise AssertionError('not refused')


@check('a connection can be named')
def _():
    with connection(client_properties={'connection_name': 'conformance of pika'}) as conn:
        equal(get_echo(conn.channel()), b'echo')


@check('the frame size and the number of channels are negotiated down')
def _():
    with connection(frame_max=4096, channel_max=10) as conn:
        equal((conn._impl.params.frame_max, conn._impl.params.channel_max), (4096, 10))
        ch = conn.channel()
        queue = own_queue(ch)
        for size in (4088, 4089, 100_000):
            ch.basic_publish('', queue, b'x' * size)
            equal(len(get_one(ch, queue)[2]), size)


@check('a thousand channels work on one connection')
def _():
    with connection() as conn:
        channels = [conn.channel() for _ in range(1000)]
        queue = own_queue(channels[0])
        for ch in channels:
            ch.basic_publish('', queue, b'x')
        collected = []
        channels[999].basic_consume(queue, lambda _ch, _m, _p, body: collected.append(body), auto_ack=True)
        consume_until(channels[999], lambda: len(collected) == 1000, '1000 messages')


@check('a channel number can be used again after it was closed')
def _():
    with connection() as conn:
        for _ in range(50):
            ch = conn.channel(7)
            equal(get_echo(ch), b'echo')
            ch.close()


@check('fifty connections live side by side')
def _():
    opened = [pika.BlockingConnection(parameters()) for _ in range(50)]
    for conn in opened:
        equal(get_echo(conn.channel()), b'echo')
    for conn in opened:
        conn.close()


@check('heartbeats keep an idle connection alive')
def _():
    with connection(heartbeat=1) as conn:
        equal(conn._impl.params.heartbeat, 1)
        ch = conn.channel()
        queue = own_queue(ch)
        conn.sleep(3.5)  # idleness itself is what is checked: more than two intervals must pass
        assert conn._impl._heartbeat_checker._heartbeat_frames_received >= 2, 'too few heartbeats'
        ch.basic_publish('', queue, b'alive')
        equal(get_one(ch, queue)[2], b'alive')


@check('a client that stops sending heartbeats is disconnected')
def _():
    conn = pika.BlockingConnection(parameters(heartbeat=1))
    conn.channel()
    raw = conn._impl._transport._sock if hasattr(conn._impl._transport, '_sock') else None
    assert isinstance(raw, socket.socket), 'the socket of the connection was not found'
    raw.setblocking(True)
    raw.settimeout(10)
    began = time.monotonic()
    try:
        while raw.recv(4096):  # nothing is sent from here on
            pass
    except ConnectionResetError:
        pass
    assert 1 <= time.monotonic() - began < 8, time.monotonic() - began


@check('callbacks for a blocked connection can be registered')
def _():
    with connection(blocked_connection_timeout=30) as conn:
        conn.add_on_connection_blocked_callback(lambda *_: None)
        conn.add_on_connection_unblocked_callback(lambda *_: None)
        equal(get_echo(conn.channel()), b'echo')


@check('callbacks of the connection run beside its consumers')
def _():
    with connection() as conn:
        ch = conn.channel()
        events = []
        conn.call_later(0.05, lambda: events.append('later'))
        conn.add_callback_threadsafe(lambda: events.append('threadsafe'))
        queue = own_queue(ch)
        ch.basic_consume(queue, lambda *_: events.append('message'), auto_ack=True)
        ch.basic_publish('', queue, b'x')
        eventually(lambda: len(events) == 3, lambda: conn.process_data_events(0.05))
        equal(sorted(events), ['later', 'message', 'threadsafe'])


@check('opening and closing connections one after another leaves nothing behind')
def _():
    for _ in range(100):
        with channel() as ch:
            own_queue(ch)


main()
