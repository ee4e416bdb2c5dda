"""What each kind of exchange routes, through pika's BlockingConnection."""

import pika

from session import channel, channel_closed, exchange, get_one, own_queue
from checks import check, equal, main, unique


def routed(ch, queues):
    """Which of the queues have got something, all of it taken out. A confirm has come for every message, so it has arrived."""
    result = {}
    for label, queue in queues.items():
        bodies = []
        while True:
            method, _properties, body = ch.basic_get(queue, auto_ack=True)
            if method is None:
                break
            bodies.append(body.decode())
        result[label] = bodies
    return result


def confirming(ch):
    ch.confirm_delivery()
    return ch


@check('the default exchange routes by queue name')
def _():
    with channel() as ch:
        one, two = own_queue(ch), own_queue(ch)
        ch.basic_publish('', one, b'for one')
        equal(get_one(ch, one)[2], b'for one')
        equal(ch.basic_get(two)[0], None)


@check('a direct exchange compares the whole key; several bindings make one copy')
def _():
    with exchange('direct') as name, channel() as ch:
        confirming(ch)
        queues = {label: own_queue(ch) for label in ('errors', 'all')}
        ch.queue_bind(queues['errors'], name, 'error')
        for key in ('error', 'warning', 'info'):
            ch.queue_bind(queues['all'], name, key)
        ch.queue_bind(queues['all'], name, 'error')
        for key in ('error', 'info', 'err', 'errors'):
            ch.basic_publish(name, key, key.encode())
        equal(routed(ch, queues), {'errors': ['error'], 'all': ['error', 'info']})


@check('a fanout exchange ignores the key')
def _():
    with exchange('fanout') as name, channel() as ch:
        confirming(ch)
        queues = {label: own_queue(ch) for label in 'abc'}
        for queue in queues.values():
            ch.queue_bind(queue, name, 'whatever')
        ch.basic_publish(name, 'other', b'x')
        equal(routed(ch, queues), {'a': ['x'], 'b': ['x'], 'c': ['x']})


@check('a topic exchange knows * as one word and # as any number of them')
def _():
    patterns = ['#', '*', '*.orange.*', '*.*.rabbit', 'lazy.#', '#.rabbit', 'lazy.#.rabbit', 'quick.orange.rabbit', '*.#', 'a..b', '']
    expected = {
        'quick.orange.rabbit': ['#', '*.orange.*', '*.*.rabbit', '#.rabbit', 'quick.orange.rabbit', '*.#'],
        'lazy': ['#', '*', 'lazy.#', '*.#'],
        'lazy.rabbit': ['#', 'lazy.#', '#.rabbit', 'lazy.#.rabbit', '*.#'],
        'lazy.a.b.rabbit': ['#', 'lazy.#', '#.rabbit', 'lazy.#.rabbit', '*.#'],
        'orange': ['#', '*', '*.#'],
        'a..b': ['#', '*.#', 'a..b'],
        'rabbit': ['#', '*', '#.rabbit', '*.#'],
    }
    with exchange('topic') as name, channel() as ch:
        confirming(ch)
        queues = {pattern: own_queue(ch) for pattern in patterns}
        for pattern, queue in queues.items():
            ch.queue_bind(queue, name, pattern)
        for key, matching in expected.items():
            ch.basic_publish(name, key, key.encode())
            equal([p for p, bodies in routed(ch, queues).items() if bodies], matching, 'patterns matching %s' % key)
        ch.basic_publish(name, '', b'-')
        assert '' in [p for p, bodies in routed(ch, queues).items() if bodies]


@check('a headers exchange knows all and any, and leaves out x- headers unless told otherwise')
def _():
    bindings = {
        'all': {'x-match': 'all', 'kind': 'pdf', 'pages': 3},
        'any': {'x-match': 'any', 'kind': 'pdf', 'pages': 3},
        'default': {'kind': 'pdf', 'pages': 3},
        'all-x': {'x-match': 'all', 'x-own': 'yes', 'kind': 'pdf'},
        'all-with-x': {'x-match': 'all-with-x', 'x-own': 'yes', 'kind': 'pdf'},
        'any-with-x': {'x-match': 'any-with-x', 'x-own': 'yes'},
        'present': {'x-match': 'all', 'kind': None},
    }
    cases = [
        ({'kind': 'pdf', 'pages': 3}, ['all', 'any', 'default', 'all-x', 'present']),
        ({'kind': 'pdf'}, ['any', 'all-x', 'present']),
        ({'kind': 'zip', 'pages': 3}, ['any', 'present']),
        ({'kind': 'pdf', 'x-own': 'yes'}, ['any', 'all-x', 'all-with-x', 'any-with-x', 'present']),
        ({'other': 1}, []),
        (None, []),
    ]
    with exchange('headers') as name, channel() as ch:
        confirming(ch)
        queues = {label: own_queue(ch) for label in bindings}
        for label, arguments in bindings.items():
            ch.queue_bind(queues[label], name, '', arguments)
        for headers, expected in cases:
            ch.basic_publish(name, 'ignored', b'x', pika.BasicProperties(headers=headers))
            equal([label for label, bodies in routed(ch, queues).items() if bodies], expected, 'bindings matching %r' % headers)


@check('a wrong x-match is refused')
def _():
    with exchange('headers') as name, channel() as ch:
        queue = own_queue(ch)
        with channel_closed(406, 'PRECONDITION_FAILED - Invalid x-match field value <<"some">>; expected all, any, all-with-x, or any-with-x'):
            ch.queue_bind(queue, name, '', {'x-match': 'some'})


@check('unbinding takes one binding, by key and arguments')
def _():
    with exchange('direct') as name, channel() as ch:
        confirming(ch)
        queue = own_queue(ch)
        for key in ('one', 'two'):
            ch.queue_bind(queue, name, key)
        ch.queue_unbind(queue, name, 'one')
        for key in ('one', 'two'):
            ch.basic_publish(name, key, key.encode())
        equal(routed(ch, {'q': queue}), {'q': ['two']})


@check('exchanges bound to exchanges route along the chain, once per queue, and in circles without end')
def _():
    with exchange('topic', 'first') as first, exchange('fanout', 'second') as second, channel() as ch:
        confirming(ch)
        queue = own_queue(ch)
        ch.exchange_bind(second, first, 'news.#')
        ch.exchange_bind(first, second)
        ch.queue_bind(queue, second)
        ch.queue_bind(queue, first, 'news.today')
        ch.basic_publish(first, 'news.today', b'circle')
        ch.basic_publish(first, 'weather', b'not routed')
        equal(routed(ch, {'q': queue}), {'q': ['circle']})
        ch.exchange_unbind(second, first, 'news.#')
        ch.basic_publish(first, 'news.yesterday', b'cut')
        equal(routed(ch, {'q': queue}), {'q': []})


@check('what an exchange cannot route goes to its alternate exchange')
def _():
    with exchange('fanout', 'alternate') as alternate, channel() as ch:
        confirming(ch)
        with exchange('direct', 'main', arguments={'alternate-exchange': alternate}) as name:
            queues = {'routed': own_queue(ch), 'left over': own_queue(ch)}
            ch.queue_bind(queues['routed'], name, 'known')
            ch.queue_bind(queues['left over'], alternate)
            ch.basic_publish(name, 'known', b'known')
            ch.basic_publish(name, 'unknown', b'unknown', mandatory=True)  # routed by the alternate: no return
            equal(routed(ch, queues), {'routed': ['known'], 'left over': ['unknown']})


@check('CC and BCC are further routing keys; BCC is taken out')
def _():
    with channel() as ch:
        confirming(ch)
        queues = {label: own_queue(ch) for label in ('to', 'cc', 'bcc')}
        headers = {'CC': [queues['cc']], 'BCC': [queues['bcc']], 'kept': 1}
        ch.basic_publish('', queues['to'], b'x', pika.BasicProperties(headers=headers))
        for queue in queues.values():
            _method, properties, body = get_one(ch, queue)
            equal((body, properties.headers), (b'x', {'CC': [queues['cc']], 'kept': 1}))


@check('publishing to a missing exchange closes the channel with 404')
def _():
    name = unique('missing')
    with channel() as ch:
        with channel_closed(404, "NOT_FOUND - no exchange '%s' in vhost '/'" % name):
            ch.basic_publish(name, 'key', b'x')
            ch.queue_declare('', exclusive=True)


main()
