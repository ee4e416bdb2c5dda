"""pika's adapter for asyncio."""

import asyncio

import pika
from pika.adapters.asyncio_connection import AsyncioConnection

from session import parameters
from checks import check, equal, main


async def opened():
    future = asyncio.get_running_loop().create_future()
    AsyncioConnection(parameters(), on_open_callback=future.set_result, on_open_error_callback=lambda _c, error: future.set_exception(error),
                      on_close_callback=lambda _c, _reason: None)
    return await future


def called(method, *args, **kwargs):
    """The frame with which the broker answered."""
    future = asyncio.get_running_loop().create_future()
    method(*args, callback=future.set_result, **kwargs)
    return future


async def open_channel(connection):
    future = asyncio.get_running_loop().create_future()
    connection.channel(on_open_callback=future.set_result)
    return await future


@check('messages go through between two connections of one loop')
def _():
    async def flow():
        publisher, consumer = await asyncio.gather(opened(), opened())
        out, into = await asyncio.gather(open_channel(publisher), open_channel(consumer))
        queue = (await called(into.queue_declare, '', exclusive=True)).method.queue
        await called(into.queue_bind, queue, 'amq.topic', 'async.#')
        bodies = asyncio.Queue()

        def on_message(ch, method, _properties, body):
            ch.basic_ack(method.delivery_tag)
            bodies.put_nowait(body)

        await called(into.basic_consume, queue, on_message)
        for number in range(100):
            out.basic_publish('amq.topic', 'async.%d' % number, b'%d' % number)
        got = [await bodies.get() for _ in range(100)]
        publisher.close()
        consumer.close()
        return got

    equal(asyncio.run(asyncio.wait_for(flow(), 15)), [b'%d' % number for number in range(100)])


@check('twenty requests with replies run at the same time')
def _():
    async def flow():
        connection = await opened()
        server, client = await asyncio.gather(open_channel(connection), open_channel(connection))
        queue = (await called(server.queue_declare, '', exclusive=True)).method.queue

        def answer(ch, _method, properties, body):
            ch.basic_publish('', properties.reply_to, b'%d' % (int(body) ** 2), pika.BasicProperties(correlation_id=properties.correlation_id))

        await called(server.basic_consume, queue, answer, auto_ack=True)
        waiting = {}
        await called(client.basic_consume, 'amq.rabbitmq.reply-to',
                     lambda _ch, _m, properties, body: waiting.pop(properties.correlation_id).set_result(int(body)), auto_ack=True)

        async def ask(number):
            waiting[str(number)] = asyncio.get_running_loop().create_future()
            future = waiting[str(number)]
            client.basic_publish('', queue, b'%d' % number, pika.BasicProperties(reply_to='amq.rabbitmq.reply-to', correlation_id=str(number)))
            return await future

        answers = await asyncio.gather(*[ask(number) for number in range(20)])
        connection.close()
        return answers

    equal(asyncio.run(asyncio.wait_for(flow(), 15)), [number ** 2 for number in range(20)])


main()
