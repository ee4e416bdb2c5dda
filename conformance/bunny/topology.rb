# Exchanges, queues and bindings through Bunny.

require_relative 'session'

check 'every kind of exchange is declared, found and deleted' do
  with_channel do |ch, connection|
    %i[direct fanout topic headers].each do |kind|
      exchange = ch.public_send(kind, unique(kind))
      equal connection.exchange_exists?(exchange.name), true
      exchange.delete
      equal connection.exchange_exists?(exchange.name), false
    end
  end
end

check 'a queue is declared, counted, purged and deleted' do
  with_channel do |ch, connection|
    queue = ch.queue(unique('queue'))
    3.times { queue.publish('x') }
    await_count(queue, 3)
    equal queue.consumer_count, 0
    equal ch.queue_purge(queue.name).message_count, 3
    queue.publish('x')
    await_count(queue, 1)
    equal ch.queue_delete(queue.name).message_count, 1
    equal connection.queue_exists?(queue.name), false
  end
end

check 'a temporary queue is named by the broker' do
  with_channel do |ch|
    queue = ch.temporary_queue
    equal queue.name.match?(/\Aamq\.gen-[\w-]{22}\z/), true, queue.name
    equal [queue.exclusive?, queue.server_named?], [true, true]
  end
end

check 'channel errors have their classes and texts' do
  name = unique('missing')
  closes_channel(Bunny::NotFound, "NOT_FOUND - no queue '#{name}' in vhost '/'") { |ch| ch.queue(name, passive: true) }
  closes_channel(Bunny::AccessRefused, "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'") { |ch| ch.queue('amq.mine') }
  with_shared_queue('redeclared') do |queue|
    closes_channel(Bunny::PreconditionFailed, "PRECONDITION_FAILED - inequivalent arg 'durable' for queue '#{queue}' in vhost '/': " \
                                              "received 'true' but current is 'false'") { |ch| ch.queue(queue, durable: true) }
  end
  with_channel do |owner|
    owner.queue(name, exclusive: true)
    closes_channel(Bunny::ResourceLocked, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '#{name}' in vhost '/'. It could be " \
                                          'originally declared on another connection or the exclusive property value does not match that of the ' \
                                          'original declaration.') { |ch| ch.queue(name, passive: true) }
  end
end

check 'an exclusive queue is gone with its connection, an auto-delete queue with its last consumer' do
  exclusive, auto = unique('exclusive'), unique('auto')
  with_channel do |ch|
    ch.queue(exclusive, exclusive: true)
    queue = ch.queue(auto, auto_delete: true)
    consumer = queue.subscribe { nil }
    consumer.cancel
  end
  with_connection { |connection| equal [exclusive, auto].map { |name| connection.queue_exists?(name) }, [false, false] }
end

check 'bindings route by key, pattern and headers' do
  with_channel do |ch|
    ch.confirm_select
    direct, topic, headers = ch.direct(unique('direct')), ch.topic(unique('topic')), ch.headers(unique('headers'))
    queues = {
      direct: ch.temporary_queue.bind(direct, routing_key: 'a.b'), star: ch.temporary_queue.bind(topic, routing_key: '*.b'),
      hash: ch.temporary_queue.bind(topic, routing_key: 'a.#'), all: ch.temporary_queue.bind(headers, arguments: { 'x-match' => 'all', 'x' => 1, 'y' => 'z' }),
      any: ch.temporary_queue.bind(headers, arguments: { 'x-match' => 'any', 'x' => 1, 'y' => 'z' })
    }
    reached = lambda do |exchange, **options|
      exchange.publish('m', **options)
      ch.wait_for_confirms
      queues.reject { |_, queue| ch.queue_purge(queue.name).message_count.zero? }.keys
    end
    equal reached.call(direct, routing_key: 'a.b'), [:direct]
    equal reached.call(direct, routing_key: 'a'), []
    equal reached.call(topic, routing_key: 'a.b'), %i[star hash]
    equal reached.call(topic, routing_key: 'a'), [:hash]
    equal reached.call(headers, headers: { 'x' => 1, 'y' => 'z' }), %i[all any]
    equal reached.call(headers, headers: { 'x' => 1 }), [:any]
    equal reached.call(headers, headers: { 'x' => 2 }), []
    queues[:hash].unbind(topic, routing_key: 'a.#')
    equal reached.call(topic, routing_key: 'a'), []
    [direct, topic, headers].each(&:delete)
  end
end

check 'exchanges bind to exchanges; an alternate exchange takes the rest' do
  with_channel do |ch|
    alternate = ch.fanout(unique('alternate'), auto_delete: true)
    inner = ch.fanout(unique('inner'), auto_delete: true)
    outer = ch.direct(unique('outer'), arguments: { 'alternate-exchange' => alternate.name })
    inner.bind(outer, routing_key: 'in')
    into, rest = ch.temporary_queue.bind(inner), ch.temporary_queue.bind(alternate)
    outer.publish('inside', routing_key: 'in')
    outer.publish('outside', routing_key: 'out')
    equal [get_one(into)[2], get_one(rest)[2]], %w[inside outside]
    inner.unbind(outer, routing_key: 'in')
    outer.publish('cut', routing_key: 'in')
    equal get_one(rest)[2], 'cut'
    outer.delete
  end
end

check 'deleting only what is empty or unused' do
  with_shared_queue('kept') do |name|
    with_channel do |ch|
      queue = ch.queue(name)
      queue.publish('x')
      await_count(queue, 1)
      closes_channel(Bunny::PreconditionFailed, "PRECONDITION_FAILED - queue '#{name}' in vhost '/' not empty") { |other| other.queue_delete(name, if_empty: true) }
      queue.subscribe(manual_ack: true) { nil }
      closes_channel(Bunny::PreconditionFailed, "PRECONDITION_FAILED - queue '#{name}' in vhost '/' in use") { |other| other.queue_delete(name, if_unused: true) }
    end
  end
end

Checks.run
