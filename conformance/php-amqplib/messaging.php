<?php
// Messages, consumers, confirms and transactions through php-amqplib.

require __DIR__ . '/session.php';

use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

check('bodies come back byte for byte', function () {
    with_channel(function ($channel) {
        $queue = own_queue($channel);
        foreach ([0, 1, 131064, 131065, 1024 * 1024, 10 * 1024 * 1024] as $size) {
            $body = $size > 0 ? random_bytes($size) : '';
            publish($channel, $queue, $body);
            equal(get_one($channel, $queue)->body === $body, true, "a body of $size bytes");
        }
    });
});

check('properties and headers come back as they were', function () {
    with_channel(function ($channel) {
        $queue = own_queue($channel);
        $properties = [
            'content_type' => 'text/plain', 'content_encoding' => 'utf-8', 'delivery_mode' => 2, 'priority' => 3, 'correlation_id' => 'c', 'reply_to' => 'r',
            'expiration' => '60000', 'message_id' => 'm', 'timestamp' => 1700000000, 'type' => 't', 'user_id' => 'guest', 'app_id' => 'a',
        ];
        $headers = ['text' => 'ü 🐇', 'int' => 42, 'negative' => -7, 'big' => 2 ** 40, 'true' => true, 'null' => null, 'list' => [1, 'a'], 'table' => ['deep' => ['er' => 1]]];
        publish($channel, $queue, 'x', $properties + ['application_headers' => new AMQPTable($headers)]);
        $message = get_one($channel, $queue);
        foreach ($properties as $name => $value) {
            equal($message->get($name), $value, $name);
        }
        equal($message->get('application_headers')->getNativeData(), $headers);
    });
});

check('a consumer gets messages and acknowledges; prefetch holds the rest back', function () {
    with_channel(function ($channel) {
        $queue = own_queue($channel);
        $channel->basic_qos(0, 2, false);
        $got = [];
        $tag = $channel->basic_consume($queue, '', false, false, false, false, function ($message) use (&$got) {
            $got[] = $message;
        });
        for ($number = 0; $number < 5; $number++) {
            publish($channel, $queue, (string) $number);
        }
        wait_until($channel, function () use (&$got) { return count($got) === 2; }, 'two messages');
        await_count($channel, $queue, 3);
        $got[1]->ack(true);
        wait_until($channel, function () use (&$got) { return count($got) === 4; }, 'four messages');
        $got[2]->reject(false);
        wait_until($channel, function () use (&$got) { return count($got) === 5; }, 'the last message');
        $got[3]->nack(true);
        wait_until($channel, function () use (&$got) { return count($got) === 6; }, 'the requeued message');
        equal(array_map(fn ($message) => [$message->body, $message->isRedelivered()], array_slice($got, 3)), [['3', false], ['4', false], ['3', true]]);
        $channel->basic_cancel($tag);
        equal($channel->is_consuming(), false);
    });
});

check('consume runs until stopConsume', function () {
    with_channel(function ($channel) {
        $queue = own_queue($channel);
        $got = [];
        $channel->basic_consume($queue, '', false, true, false, false, function ($message) use (&$got, $channel) {
            $got[] = $message->body;
            if ($message->body === 'stop') {
                $channel->stopConsume();
            }
        });
        foreach (['a', 'b', 'stop'] as $body) {
            publish($channel, $queue, $body);
        }
        $channel->consume();
        equal($got, ['a', 'b', 'stop']);
    });
});

check('the broker tells a consumer that its queue was deleted', function () {
    with_channel(function ($channel) {
        $queue = unique('deleted');
        $channel->queue_declare($queue, false, false, false, false);
        $channel->basic_consume($queue, 'mine', false, true, false, false, function () {
        });
        with_channel(fn ($other) => $other->queue_delete($queue));
        try {
            wait_until($channel, fn () => false, 'the cancellation');
        } catch (PhpAmqpLib\Exception\AMQPBasicCancelException $cancelled) {
            equal($cancelled->consumerTag, 'mine');
            return;
        }
    });
});

check('an exclusive consumer keeps others out', function () {
    with_channel(function ($channel) {
        $queue = unique('exclusive');
        $channel->queue_declare($queue, false, false, false, false);
        $channel->basic_consume($queue, '', false, true, true, false, fn () => null);
        closes_channel(403, "ACCESS_REFUSED - queue '$queue' in vhost '/' in exclusive use", fn ($other) => $other->basic_consume($queue, '', false, true, false, false, fn () => null));
        $channel->queue_delete($queue);
    });
});

check('confirms: acknowledged, refused and returned', function () {
    with_channel(function ($channel) {
        $events = [];
        $channel->confirm_select();
        $channel->set_ack_handler(function ($message) use (&$events) { $events[] = "ack $message->body"; });
        $channel->set_nack_handler(function ($message) use (&$events) { $events[] = "nack $message->body"; });
        $channel->set_return_listener(function ($code, $text, $exchange, $key, $message) use (&$events) { $events[] = "return $code $text $message->body"; });
        $queue = own_queue($channel, ['x-max-length' => 1, 'x-overflow' => 'reject-publish']);
        foreach (['first', 'second'] as $body) {
            publish($channel, $queue, $body);
            $channel->wait_for_pending_acks_returns(5);
        }
        $channel->basic_publish(new AMQPMessage('third'), 'amq.direct', unique('nobody'), true);
        $channel->wait_for_pending_acks_returns(5);
        equal($events, ['ack first', 'nack second', 'return 312 NO_ROUTE third', 'ack third']);
    });
});

check('a batch is published and confirmed', function () {
    with_channel(function ($channel) {
        $channel->confirm_select();
        $queue = own_queue($channel);
        for ($number = 0; $number < 200; $number++) {
            $channel->batch_basic_publish(new AMQPMessage((string) $number), '', $queue);
        }
        $channel->publish_batch();
        $channel->wait_for_pending_acks(5);
        equal(message_count($channel, $queue), 200);
        equal(get_one($channel, $queue)->body, '0');
    });
});

check('transactions commit and roll back', function () {
    with_channel(function ($channel) {
        $queue = own_queue($channel);
        $channel->tx_select();
        publish($channel, $queue, 'rolled back');
        $channel->tx_rollback();
        publish($channel, $queue, 'committed');
        equal(message_count($channel, $queue), 0);
        $channel->tx_commit();
        await_count($channel, $queue, 1);
        equal(get_one($channel, $queue)->body, 'committed');
    });
});

check('dead letters tell their history', function () {
    with_channel(function ($channel) {
        $dead = own_queue($channel);
        $queue = own_queue($channel, ['x-dead-letter-exchange' => '', 'x-dead-letter-routing-key' => $dead]);
        publish($channel, $queue, 'x', ['expiration' => '20']);
        $death = get_one($channel, $dead)->get('application_headers')->getNativeData()['x-death'][0];
        equal([$death['reason'], $death['queue'], $death['count'], $death['original-expiration']], ['expired', $queue, 1, '20']);
    });
});

check('a request is answered by direct reply-to', function () {
    with_channel(function ($channel) {
        $queue = own_queue($channel);
        $channel->basic_consume($queue, '', false, true, false, false, function ($request) use ($channel) {
            publish($channel, $request->get('reply_to'), strtoupper($request->body), ['correlation_id' => $request->get('correlation_id')]);
        });
        $replies = [];
        $channel->basic_consume('amq.rabbitmq.reply-to', '', false, true, false, false, function ($reply) use (&$replies) {
            $replies[] = [$reply->get('correlation_id'), $reply->body];
        });
        publish($channel, $queue, 'question', ['reply_to' => 'amq.rabbitmq.reply-to', 'correlation_id' => '7']);
        wait_until($channel, function () use (&$replies) { return count($replies) === 1; }, 'the reply');
        equal($replies, [['7', 'QUESTION']]);
    });
});

check('recover brings back what is unsettled', function () {
    with_channel(function ($channel) {
        $queue = own_queue($channel);
        publish($channel, $queue, 'x');
        get_one($channel, $queue, false);
        $channel->basic_recover(true);
        equal(get_one($channel, $queue)->isRedelivered(), true);
    });
});

run_checks();
