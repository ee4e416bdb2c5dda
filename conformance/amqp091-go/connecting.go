package main

import (
	"net/url"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

func connecting() {
	check("the server says who it is, what it can do and its limits", func() {
		connection, err := amqp.Dial(address())
		must(err)
		defer connection.Close()
		equal(connection.Properties["product"], "RabbitMQ")
		can := connection.Properties["capabilities"].(amqp.Table)
		for _, capability := range []string{"publisher_confirms", "basic.nack", "consumer_cancel_notify", "connection.blocked"} {
			equal(can[capability], true)
		}
		equal([]int{connection.Config.ChannelMax, connection.Config.FrameSize}, []int{2047, 131072})
	})

	check("a wrong password and an unknown virtual host are refused", func() {
		wrong, err := url.Parse(address())
		must(err)
		wrong.User = url.UserPassword("guest", "wrong")
		_, err = amqp.Dial(wrong.String())
		// the client puts its own text in place of the broker's
		equal(err.(*amqp.Error).Code, 403)
		_, err = amqp.DialConfig(address(), amqp.Config{Vhost: "nope"})
		equal(err, amqp.ErrVhost)
	})

	check("heartbeats keep an idle connection alive", func() {
		connection, err := amqp.DialConfig(address(), amqp.Config{Heartbeat: time.Second})
		must(err)
		defer connection.Close()
		time.Sleep(3500 * time.Millisecond) // idleness itself is what is checked: more than two intervals must pass
		channel, err := connection.Channel()
		must(err)
		queue := ownQueue(channel, nil)
		publish(channel, queue, "echo")
		equal(string(getOne(channel, queue, true).Body), "echo")
	})

	check("five hundred channels are open at once", func() {
		connection, err := amqp.Dial(address())
		must(err)
		defer connection.Close()
		first, err := connection.Channel()
		must(err)
		queue := ownQueue(first, nil)
		for index := 0; index < 500; index++ {
			channel, err := connection.Channel()
			must(err)
			publish(channel, queue, "x")
		}
		eventually("all messages", func() bool { return count(first, queue) == 500 })
	})

	check("a new secret is taken", func() {
		connection, err := amqp.Dial(address())
		must(err)
		defer connection.Close()
		must(connection.UpdateSecret("guest", "a conformance check"))
		_, err = connection.Channel()
		must(err)
	})
}
