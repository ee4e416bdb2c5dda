package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

func messaging() {
	check("bodies of every size come back as they were sent", func() {
		withChannel(func(channel *amqp.Channel) {
			queue := ownQueue(channel, nil)
			for _, size := range []int{0, 1, 4096, 131063, 131064, 131065, 1000000, 5000000} {
				body := make([]byte, size)
				_, err := rand.Read(body)
				must(err)
				must(channel.Publish("", queue, false, false, amqp.Publishing{Body: body}))
				equal(bytes.Equal(getOne(channel, queue, true).Body, body), true)
			}
		})
	})

	check("all properties and headers of every type come back", func() {
		withChannel(func(channel *amqp.Channel) {
			queue := ownQueue(channel, nil)
			when := time.Unix(1700000000, 0)
			headers := amqp.Table{"text": "t", "int": int32(1), "long": int64(1) << 40, "short": int16(7), "byte": byte(200), "int8": int8(-3), "double": 1.5,
				"float": float32(2.5), "flag": true, "when": when, "bytes": []byte{1, 2}, "list": []interface{}{int32(1), "two"}, "table": amqp.Table{"a": int32(1)},
				"decimal": amqp.Decimal{Scale: 2, Value: 1234}, "nothing": nil}
			sent := amqp.Publishing{Headers: headers, ContentType: "text/plain", ContentEncoding: "utf-8", DeliveryMode: amqp.Persistent, Priority: 5,
				CorrelationId: "c", ReplyTo: "r", Expiration: "60000", MessageId: "m", Timestamp: when, Type: "t", UserId: "guest", AppId: "a", Body: []byte("x")}
			must(channel.Publish("", queue, false, false, sent))
			got := getOne(channel, queue, true)
			equal(got.Headers, headers)
			equal(amqp.Publishing{Headers: headers, ContentType: got.ContentType, ContentEncoding: got.ContentEncoding, DeliveryMode: got.DeliveryMode,
				Priority: got.Priority, CorrelationId: got.CorrelationId, ReplyTo: got.ReplyTo, Expiration: got.Expiration, MessageId: got.MessageId,
				Timestamp: got.Timestamp, Type: got.Type, UserId: got.UserId, AppId: got.AppId, Body: got.Body}, sent)
		})
	})

	check("deferred confirms of a thousand persistent messages arrive", func() {
		withChannel(func(channel *amqp.Channel) {
			must(channel.Confirm(false))
			queue := ownQueue(channel, nil)
			var open []*amqp.DeferredConfirmation
			for index := 0; index < 1000; index++ {
				one, err := channel.PublishWithDeferredConfirmWithContext(context.Background(), "", queue, false, false,
					amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(fmt.Sprint(index))})
				must(err)
				open = append(open, one)
			}
			for _, one := range open {
				equal(one.Wait(), true)
			}
			equal(count(channel, queue), 1000)
		})
	})

	check("a full queue that rejects gives a negative confirm", func() {
		withChannel(func(channel *amqp.Channel) {
			must(channel.Confirm(false))
			confirms := channel.NotifyPublish(make(chan amqp.Confirmation, 2))
			queue := ownQueue(channel, amqp.Table{"x-max-length": int32(1), "x-overflow": "reject-publish"})
			publish(channel, queue, "one")
			equal(next(confirms), amqp.Confirmation{DeliveryTag: 1, Ack: true})
			publish(channel, queue, "two")
			equal(next(confirms), amqp.Confirmation{DeliveryTag: 2, Ack: false})
		})
	})

	check("an unroutable mandatory message is returned", func() {
		withChannel(func(channel *amqp.Channel) {
			returned := channel.NotifyReturn(make(chan amqp.Return, 1))
			must(channel.Publish("", unique("nowhere"), true, false, amqp.Publishing{Body: []byte("lost")}))
			back := next(returned)
			equal(fmt.Sprint(back.ReplyCode, " ", back.ReplyText, " ", string(back.Body)), "312 NO_ROUTE lost")
		})
	})

	check("a prefetch holds back what is not acknowledged", func() {
		withChannel(func(channel *amqp.Channel) {
			queue := ownQueue(channel, nil)
			must(channel.Qos(2, 0, false))
			for index := 0; index < 5; index++ {
				publish(channel, queue, fmt.Sprint(index))
			}
			got, err := channel.Consume(queue, "", false, false, false, false, nil)
			must(err)
			next(got)
			second := next(got)
			eventually("three that wait", func() bool { return count(channel, queue) == 3 })
			equal(len(got), 0)
			must(second.Ack(true))
			equal(string(next(got).Body), "2")
			equal(string(next(got).Body), "3")
		})
	})

	check("what is put back comes again, flagged, and what is rejected is dead-lettered", func() {
		withChannel(func(channel *amqp.Channel) {
			dead := ownQueue(channel, nil)
			queue := ownQueue(channel, amqp.Table{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead})
			publish(channel, queue, "again")
			first := getOne(channel, queue, false)
			equal(first.Redelivered, false)
			must(first.Nack(false, true))
			second := getOne(channel, queue, false)
			equal(second.Redelivered, true)
			must(second.Reject(false))
			death := getOne(channel, dead, true).Headers["x-death"].([]interface{})[0].(amqp.Table)
			equal(death["reason"], "rejected")
			equal(death["queue"], queue)
			equal(death["count"], int64(1))
		})
	})

	check("a consumer is told when its queue is deleted", func() {
		withChannel(func(channel *amqp.Channel) {
			queue := ownQueue(channel, nil)
			cancelled := channel.NotifyCancel(make(chan string, 1))
			_, err := channel.Consume(queue, "mine", true, false, false, false, nil)
			must(err)
			_, err = channel.QueueDelete(queue, false, false, false)
			must(err)
			equal(next(cancelled), "mine")
		})
	})

	check("a transaction is all or nothing", func() {
		withChannel(func(channel *amqp.Channel) {
			queue := ownQueue(channel, nil)
			must(channel.Tx())
			publish(channel, queue, "rolled back")
			must(channel.TxRollback())
			publish(channel, queue, "committed")
			equal(count(channel, queue), 0)
			must(channel.TxCommit())
			equal(string(getOne(channel, queue, true).Body), "committed")
			equal(count(channel, queue), 0)
		})
	})

	check("a request is answered by direct reply-to", func() {
		withChannel(func(channel *amqp.Channel) {
			requests := ownQueue(channel, nil)
			replies, err := channel.Consume("amq.rabbitmq.reply-to", "", true, false, false, false, nil)
			must(err)
			must(channel.Publish("", requests, false, false, amqp.Publishing{ReplyTo: "amq.rabbitmq.reply-to", CorrelationId: "c", Body: []byte("question")}))
			request := getOne(channel, requests, true)
			must(channel.Publish("", request.ReplyTo, false, false, amqp.Publishing{CorrelationId: request.CorrelationId, Body: []byte("answer")}))
			reply := next(replies)
			equal(reply.CorrelationId+" "+string(reply.Body), "c answer")
		})
	})
}
