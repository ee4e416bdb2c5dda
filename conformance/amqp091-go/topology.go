package main

import (
	amqp "github.com/rabbitmq/amqp091-go"
)

func topology() {
	check("every exchange type routes as it should", func() {
		withChannel(func(channel *amqp.Channel) {
			for _, kind := range []string{amqp.ExchangeDirect, amqp.ExchangeFanout, amqp.ExchangeTopic, amqp.ExchangeHeaders} {
				exchange := unique("exchange")
				must(channel.ExchangeDeclare(exchange, kind, false, true, false, false, nil))
				key := "a.b.c"
				if kind == amqp.ExchangeTopic {
					key = "a.*.#"
				}
				yes, no := ownQueue(channel, nil), ownQueue(channel, nil)
				must(channel.QueueBind(yes, key, exchange, false, amqp.Table{"x-match": "any", "kind": "yes", "n": int32(1)}))
				must(channel.QueueBind(no, "other", exchange, false, amqp.Table{"x-match": "all", "kind": "no"}))
				must(channel.Publish(exchange, "a.b.c", false, false, amqp.Publishing{Headers: amqp.Table{"kind": "yes"}, Body: []byte(kind)}))
				equal(string(getOne(channel, yes, true).Body), kind)
				expected := 0
				if kind == amqp.ExchangeFanout {
					expected = 1
				}
				equal(count(channel, no), expected)
			}
		})
	})

	check("exchanges are bound to exchanges and unbound", func() {
		withChannel(func(channel *amqp.Channel) {
			first, second, queue := unique("first"), unique("second"), ownQueue(channel, nil)
			must(channel.ExchangeDeclare(first, "topic", false, true, false, false, nil))
			must(channel.ExchangeDeclare(second, "fanout", false, true, false, false, nil))
			must(channel.ExchangeBind(second, "k.#", first, false, nil))
			must(channel.QueueBind(queue, "", second, false, nil))
			must(channel.Publish(first, "k.1", false, false, amqp.Publishing{Body: []byte("through")}))
			equal(string(getOne(channel, queue, true).Body), "through")
			must(channel.ExchangeUnbind(second, "k.#", first, false, nil))
			must(channel.QueueUnbind(queue, "", second, nil))
		})
	})

	check("declarations without an answer take effect in order", func() {
		withChannel(func(channel *amqp.Channel) {
			exchange, queue := unique("nowait"), unique("nowait")
			must(channel.ExchangeDeclare(exchange, "fanout", false, true, false, true, nil))
			_, err := channel.QueueDeclare(queue, false, true, true, true, nil)
			must(err)
			must(channel.QueueBind(queue, "", exchange, true, nil))
			must(channel.Publish(exchange, "", false, false, amqp.Publishing{Body: []byte("x")}))
			equal(string(getOne(channel, queue, true).Body), "x")
		})
	})

	check("refusals have RabbitMQ's codes and texts", func() {
		queue := unique("redeclared")
		withChannel(func(channel *amqp.Channel) {
			_, err := channel.QueueDeclare(queue, true, false, false, false, amqp.Table{"x-message-ttl": int32(60000)})
			must(err)
			_, err = channel.QueueDeclare(queue, true, false, false, false, amqp.Table{"x-message-ttl": int64(60000)})
			must(err)
		})
		declare := func(isDurable bool, arguments amqp.Table) func(*amqp.Channel) {
			return func(channel *amqp.Channel) { _, _ = channel.QueueDeclare(queue, isDurable, false, false, false, arguments) }
		}
		where := "' for queue '" + queue + "' in vhost '/': "
		closesChannel(406, "PRECONDITION_FAILED - inequivalent arg 'durable"+where+"received 'false' but current is 'true'", declare(false, nil))
		closesChannel(406, "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl"+where+"received none but current is the value '60000' of type 'signedint'", declare(true, nil))
		closesChannel(404, "NOT_FOUND - no queue 'nope' in vhost '/'", func(channel *amqp.Channel) { _, _ = channel.QueueInspect("nope") })
		closesChannel(404, "NOT_FOUND - no exchange 'nox' in vhost '/'", func(channel *amqp.Channel) { _ = channel.Publish("nox", "", false, false, amqp.Publishing{}) })
		closesChannel(406, "PRECONDITION_FAILED - unknown delivery tag 99", func(channel *amqp.Channel) { _ = channel.Ack(99, false) })
		closesChannel(406, "PRECONDITION_FAILED - invalid expiration 'soon': no_integer", func(channel *amqp.Channel) {
			_ = channel.Publish("", queue, false, false, amqp.Publishing{Expiration: "soon"})
		})
		withChannel(func(channel *amqp.Channel) {
			_, err := channel.QueueDelete(queue, false, false, false)
			must(err)
		})
	})

	check("purging and deleting count messages", func() {
		withChannel(func(channel *amqp.Channel) {
			queue := ownQueue(channel, nil)
			publish(channel, queue, "one")
			publish(channel, queue, "two")
			purged, err := channel.QueuePurge(queue, false)
			must(err)
			equal(purged, 2)
			publish(channel, queue, "three")
			deleted, err := channel.QueueDelete(queue, false, false, false)
			must(err)
			equal(deleted, 1)
		})
	})
}
