<?php
// Exchanges, queues and bindings through php-amqplib.

require __DIR__ . '/session.php';

use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

check('exchanges of every kind are declared and deleted', function () {
    with_channel(function ($channel) {
        foreach (['direct', 'fanout', 'topic', 'headers'] as $kind) {
            $name = unique($kind);
            $channel->exchange_declare($name, $kind, false, false, false);
            $channel->exchange_declare($name, $kind, true);
            $channel->exchange_delete($name);
            closes_channel(404, "NOT_FOUND - no exchange '$name' in vhost '/'", fn ($other) => $other->exchange_declare($name, $kind, true));
        }
    });
});

check('a queue is declared, counted, purged and deleted', function () {
    with_channel(function ($channel) {
        $name = unique('queue');
        equal($channel->queue_declare($name, false, false, false, false), [$name, 0, 0]);
        for ($number = 0; $number < 3; $number++) {
            publish($channel, $name, 'x');
        }
        await_count($channel, $name, 3);
        equal($channel->queue_purge($name), 3);
        publish($channel, $name, 'x');
        await_count($channel, $name, 1);
        closes_channel(406, "PRECONDITION_FAILED - queue '$name' in vhost '/' not empty", fn ($other) => $other->queue_delete($name, false, true));
        equal($channel->queue_delete($name), 1);
    });
});

check('channel errors have their codes and texts', function () {
    $name = unique('missing');
    closes_channel(404, "NOT_FOUND - no queue '$name' in vhost '/'", fn ($channel) => $channel->queue_declare($name, true));
    closes_channel(403, "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'", fn ($channel) => $channel->queue_declare('amq.mine'));
    closes_channel(406, "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'amq.topic' in vhost '/': received 'fanout' but current is 'topic'",
        fn ($channel) => $channel->exchange_declare('amq.topic', 'fanout', false, true, false));
    with_channel(function ($owner) use ($name) {
        $owner->queue_declare($name, false, false, true);
        closes_channel(405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '$name' in vhost '/'. It could be originally declared on "
            . 'another connection or the exclusive property value does not match that of the original declaration.', fn ($channel) => $channel->queue_declare($name, true));
    });
});

check('arguments are given as a table and enforced', function () {
    with_channel(function ($channel) {
        $name = unique('argument');
        closes_channel(406, "PRECONDITION_FAILED - invalid arg 'x-message-ttl' for queue '$name' in vhost '/': \"expected integer, got longstr\"",
            fn ($other) => $other->queue_declare($name, false, false, true, false, false, new AMQPTable(['x-message-ttl' => 'soon'])));
        $queue = own_queue($channel, ['x-max-length' => 2, 'x-message-ttl' => 60000, 'x-max-priority' => 3]);
        foreach ([0, 1, 3] as $priority) {
            publish($channel, $queue, (string) $priority, ['priority' => $priority]);
        }
        await_count($channel, $queue, 2);
    });
});

check('bindings route by key, pattern and headers', function () {
    with_channel(function ($channel) {
        $channel->confirm_select();
        $bound = function (string $exchange, string $key, array $arguments = []) use ($channel) {
            $queue = own_queue($channel);
            $channel->queue_bind($queue, $exchange, $key, false, new AMQPTable($arguments));
            return $queue;
        };
        $fanout = unique('fanout');
        $channel->exchange_declare($fanout, 'fanout', false, false, true);
        $queues = [
            'direct' => $bound('amq.direct', 'php.a'), 'star' => $bound('amq.topic', 'php.*'), 'hash' => $bound('amq.topic', 'php.#'), 'fanout' => $bound($fanout, ''),
            'all' => $bound('amq.headers', '', ['x-match' => 'all', 'a' => 1, 'b' => 'two']), 'any' => $bound('amq.headers', '', ['x-match' => 'any', 'a' => 1, 'b' => 'two']),
        ];
        $reached = function (string $exchange, string $key, array $headers = []) use ($channel, $queues) {
            $channel->basic_publish(new AMQPMessage('x', ['application_headers' => new AMQPTable($headers)]), $exchange, $key);
            $channel->wait_for_pending_acks(5);
            return array_keys(array_filter($queues, fn ($queue) => $channel->queue_purge($queue) > 0));
        };
        equal($reached('amq.direct', 'php.a'), ['direct']);
        equal($reached('amq.direct', 'php'), []);
        equal($reached('amq.topic', 'php.a'), ['star', 'hash']);
        equal($reached('amq.topic', 'php'), ['hash']);
        equal($reached($fanout, 'anything'), ['fanout']);
        equal($reached('amq.headers', '', ['a' => 1, 'b' => 'two']), ['all', 'any']);
        equal($reached('amq.headers', '', ['b' => 'two']), ['any']);
        equal($reached('amq.headers', '', ['b' => 'three']), []);
        $channel->queue_unbind($queues['hash'], 'amq.topic', 'php.#');
        equal($reached('amq.topic', 'php'), []);
    });
});

check('exchanges bind to exchanges', function () {
    with_channel(function ($channel) {
        $inner = unique('inner');
        $channel->exchange_declare($inner, 'fanout', false, false, true);
        $queue = own_queue($channel);
        $channel->queue_bind($queue, $inner);
        $channel->exchange_bind($inner, 'amq.direct', 'inside');
        $channel->basic_publish(new AMQPMessage('through'), 'amq.direct', 'inside');
        equal(get_one($channel, $queue)->body, 'through');
        $channel->exchange_unbind($inner, 'amq.direct', 'inside');
    });
});

run_checks();
