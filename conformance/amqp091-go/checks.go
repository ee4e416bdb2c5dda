// Named checks of the Go client, reported as TAP lines (see support/tap.ts).
package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const checkTimeMax = 30 * time.Second

type namedCheck struct {
	name   string
	action func()
}

var checks []namedCheck

func check(name string, action func()) { checks = append(checks, namedCheck{name, action}) }

func main() {
	messaging()
	topology()
	connecting()
	wanted := strings.Join(os.Args[1:], " ")
	var selected []namedCheck
	for _, one := range checks {
		if strings.Contains(one.name, wanted) {
			selected = append(selected, one)
		}
	}
	fmt.Printf("1..%d\n", len(selected))
	failed := false
	for index, one := range selected {
		fmt.Printf("# begin %s\n", one.name)
		if fault := outcome(one.action); fault == "" {
			fmt.Printf("ok %d - %s\n", index+1, one.name)
		} else {
			failed = true
			fmt.Printf("not ok %d - %s\n# %s\n", index+1, one.name, strings.ReplaceAll(fault, "\n", "\n# "))
		}
	}
	if failed {
		os.Exit(1)
	}
}

// outcome runs a check to its end and says what went wrong, or nothing.
func outcome(action func()) string {
	done := make(chan string, 1)
	go func() {
		defer func() {
			if fault := recover(); fault != nil {
				done <- fmt.Sprint(fault)
			} else {
				done <- ""
			}
		}()
		action()
	}()
	select {
	case fault := <-done:
		return fault
	case <-time.After(checkTimeMax):
		return "the check had not ended in time"
	}
}

func equal(actual, expected interface{}) {
	if !reflect.DeepEqual(actual, expected) {
		panic(fmt.Sprintf("got %#v, expected %#v", actual, expected))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// unique makes a name that no other run uses, so that runs can share a broker.
func unique(label string) string {
	random := make([]byte, 6)
	_, err := rand.Read(random)
	must(err)
	return "conformance." + label + "." + hex.EncodeToString(random)
}

func eventually(what string, condition func() bool) {
	deadline := time.Now().Add(10 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			panic("waited 10 s for " + what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// next waits for what a channel brings.
func next[T any](from <-chan T) T {
	select {
	case value, isOpen := <-from:
		if !isOpen {
			panic("the channel was closed")
		}
		return value
	case <-time.After(10 * time.Second):
		panic("waited 10 s")
	}
}

func address() string {
	if url := os.Getenv("BROKER_URL"); url != "" {
		return url
	}
	return "amqp://guest:guest@127.0.0.1:5672"
}

func withChannel(action func(*amqp.Channel)) {
	connection, err := amqp.Dial(address())
	must(err)
	defer connection.Close()
	channel, err := connection.Channel()
	must(err)
	action(channel)
}

func ownQueue(channel *amqp.Channel, arguments amqp.Table) string {
	queue, err := channel.QueueDeclare("", false, false, true, false, arguments)
	must(err)
	return queue.Name
}

func publish(channel *amqp.Channel, queue string, body string) {
	must(channel.Publish("", queue, false, false, amqp.Publishing{Body: []byte(body)}))
}

func getOne(channel *amqp.Channel, queue string, autoAck bool) amqp.Delivery {
	var got amqp.Delivery
	eventually("a message in "+queue, func() bool {
		delivery, isThere, err := channel.Get(queue, autoAck)
		must(err)
		got = delivery
		return isThere
	})
	return got
}

func count(channel *amqp.Channel, queue string) int {
	state, err := channel.QueueInspect(queue)
	must(err)
	return state.Messages
}

// closesChannel says that the action must fail because the broker closed the channel with this code and exactly this text.
func closesChannel(code int, text string, action func(*amqp.Channel)) {
	withChannel(func(channel *amqp.Channel) {
		closed := channel.NotifyClose(make(chan *amqp.Error, 1))
		action(channel)
		reason := next(closed)
		equal(fmt.Sprint(reason.Code, " ", reason.Reason), fmt.Sprint(code, " ", text))
	})
}
