# Messages, consumers, confirms and transactions through Bunny.

require_relative 'session'

check 'bodies come back byte for byte' do
  with_channel do |ch|
    queue = ch.temporary_queue
    [0, 1, 131_064, 131_065, 1024 * 1024, 10 * 1024 * 1024].each do |size|
      body = SecureRandom.bytes(size)
      queue.publish(body)
      got = get_one(queue)[2]
      raise "a body of #{size} bytes changed" unless got.b == body
    end
  end
end

check 'properties and headers come back as they were' do
  sent = { content_type: 'text/plain', content_encoding: 'utf-8', priority: 3, correlation_id: 'c', reply_to: 'r', expiration: '60000',
           message_id: 'm', type: 't', user_id: 'guest', app_id: 'a' }
  headers = { 'text' => 'ü 🐇'.b, 'int' => 42, 'negative' => -7, 'big' => 2**40, 'float' => 1.5, 'true' => true, 'nil' => nil,
              'list' => [1, 'a', [2]], 'table' => { 'deep' => { 'er' => 1 } }, 'time' => Time.at(1_700_000_000) }
  with_channel do |ch|
    queue = ch.temporary_queue
    queue.publish('x', persistent: true, timestamp: 1_700_000_000, headers: headers, **sent)
    _info, properties, _body = get_one(queue)
    sent.each { |name, value| equal properties[name], value, name }
    equal [properties.delivery_mode, properties.timestamp.to_i, properties.headers], [2, 1_700_000_000, headers]
  end
end

check 'a consumer gets messages and acknowledges; prefetch holds the rest back' do
  with_channel do |ch|
    ch.prefetch(2)
    queue = ch.temporary_queue
    got = Queue.new
    consumer = queue.subscribe(manual_ack: true) { |info, _properties, body| got << [info.delivery_tag, body] }
    5.times { |number| queue.publish(number.to_s) }
    await_count(queue, 3)
    first, second = got.pop, got.pop
    ch.ack(second[0], true)
    2.times { got.pop }
    await_count(queue, 1)
    equal [first[1], second[1]], %w[0 1]
    consumer.cancel
    equal queue.consumer_count, 0
  end
end

check 'reject, nack and recover requeue or drop' do
  with_channel do |ch|
    queue = ch.temporary_queue
    %w[1 2 3].each { |body| queue.publish(body) }
    await_count(queue, 3)
    info, = queue.pop(manual_ack: true)
    ch.reject(info.delivery_tag, true)
    info, _, body = get_one(queue, manual_ack: true)
    equal [body, info.redelivered], ['1', true]
    ch.nack(info.delivery_tag, false, false)
    get_one(queue, manual_ack: true)
    ch.basic_recover(true)
    info, _, body = get_one(queue, manual_ack: true)
    equal [body, info.redelivered], ['2', true]
  end
end

check 'the broker tells a consumer that its queue was deleted' do
  with_shared_queue('deleted') do |name|
    with_channel do |ch|
      cancelled = Queue.new
      ch.queue(name).subscribe(on_cancellation: ->(_) { cancelled << true }) { nil }
      with_channel { |other| other.queue_delete(name) }
      equal cancelled.pop, true
    end
  end
end

check 'an exclusive consumer keeps others out' do
  with_shared_queue('exclusive') do |name|
    with_channel do |ch|
      ch.queue(name).subscribe(exclusive: true) { nil }
      closes_channel(Bunny::AccessRefused, "ACCESS_REFUSED - queue '#{name}' in vhost '/' in exclusive use") { |other| other.queue(name).subscribe { nil } }
    end
  end
end

check 'confirms of a batch, with the refused ones named' do
  with_channel do |ch|
    ch.confirm_select
    queue = ch.temporary_queue
    200.times { queue.publish('x', persistent: true) }
    equal ch.wait_for_confirms, true
    equal queue.message_count, 200
    full = ch.temporary_queue(arguments: { 'x-max-length' => 1, 'x-overflow' => 'reject-publish' })
    full.publish('1')
    equal ch.wait_for_confirms, true
    full.publish('2')
    equal ch.wait_for_confirms, false
    equal ch.nacked_set.to_a, [202]
  end
end

check 'confirms call back' do
  with_channel do |ch|
    confirmed = Queue.new
    ch.confirm_select(->(tag, multiple, nack) { confirmed << [tag, multiple, nack] })
    queue = ch.temporary_queue
    50.times { queue.publish('x') }
    tag = 0
    tag = [tag, confirmed.pop[0]].max while tag < 50
  end
end

check 'an unroutable mandatory message is returned' do
  with_channel do |ch|
    returned = Queue.new
    exchange = ch.direct('amq.direct', durable: true)
    exchange.on_return { |info, _properties, body| returned << [info.reply_code, info.reply_text, body] }
    exchange.publish('back', routing_key: unique('nobody'), mandatory: true)
    equal returned.pop, [312, 'NO_ROUTE', 'back']
  end
end

check 'transactions commit and roll back' do
  with_channel do |ch|
    queue = ch.temporary_queue
    ch.tx_select
    queue.publish('rolled back')
    ch.tx_rollback
    queue.publish('committed')
    equal queue.message_count, 0
    ch.tx_commit
    await_count(queue, 1)
    equal queue.pop[2], 'committed'
  end
end

check 'expiry, dead letters, limits and priorities' do
  with_channel do |ch|
    ch.confirm_select
    dead = ch.temporary_queue
    source = ch.temporary_queue(arguments: { 'x-dead-letter-exchange' => '', 'x-dead-letter-routing-key' => dead.name, 'x-message-ttl' => 30 })
    source.publish('old')
    _info, properties, body = get_one(dead)
    equal [body, properties.headers['x-death'][0]['reason']], %w[old expired]
    short = ch.temporary_queue(arguments: { 'x-max-length' => 2 })
    4.times { |number| short.publish(number.to_s) }
    ch.wait_for_confirms
    equal [short.pop[2], short.pop[2], short.pop[2]], ['2', '3', nil]
    ranked = ch.temporary_queue(arguments: { 'x-max-priority' => 5 })
    [1, 5, 3].each { |priority| ranked.publish(priority.to_s, priority: priority) }
    ch.wait_for_confirms
    equal Array.new(3) { ranked.pop[2] }, %w[5 3 1]
  end
end

check 'direct reply-to carries replies' do
  with_channel do |ch|
    requests = ch.temporary_queue
    requests.subscribe { |_info, properties, body| ch.default_exchange.publish(body.upcase, routing_key: properties.reply_to, correlation_id: properties.correlation_id) }
    replies = Queue.new
    ch.basic_consume('amq.rabbitmq.reply-to', '', true) { |_info, properties, body| replies << [properties.correlation_id, body] }
    requests.publish('question', reply_to: 'amq.rabbitmq.reply-to', correlation_id: '1')
    equal replies.pop, %w[1 QUESTION]
  end
end

Checks.run
