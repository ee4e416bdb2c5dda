// Events about connections, channels and consumers, with RabbitMQ's facts about each. Where RabbitMQ names an Erlang process stand the
// names of connection and channel. Call these after asking whether events are observed.
import { type Json, tableFromJson } from '../../base/field-table.ts';
import type { ChannelIdentity, ConnectionDescription } from '../connection-registry.ts';
import { channelName } from '../connection-registry.ts';
import type { Consumer } from '../consumer.ts';
import { erlangTableItems } from '../erlang-field.ts';
import type { BrokerEvents } from './broker-events.ts';
import { internalUser } from './broker-events.ts';
import { argumentFacts } from './topology-events.ts';

export function connectionCreated(events: BrokerEvents, node: string, description: ConnectionDescription): void {
  const { certificate, givenName } = description;
  events.emit('connection.created', {
    name: description.name,
    pid: description.name,
    node,
    type: 'network',
    protocol: protocolFact(description.protocol),
    user: description.user,
    vhost: description.vhost,
    host: hostFact(description.host),
    port: description.port,
    peer_host: hostFact(description.peerHost),
    peer_port: description.peerPort,
    ssl: description.isTls,
    peer_cert_subject: certificate?.subject ?? '',
    peer_cert_issuer: certificate?.issuer ?? '',
    peer_cert_validity: certificate?.validTo ?? '',
    auth_mechanism: description.mechanism,
    channel_max: description.channelsMax,
    frame_max: description.frameBytesMax,
    timeout: description.heartbeatSeconds,
    connected_at: Math.floor(description.connectedAtMillis),
    ...clientFacts(description),
    ...(givenName === null ? {} : { user_provided_name: givenName }),
    user_who_performed_action: description.user,
  });
}

export function connectionClosed(events: BrokerEvents, node: string, description: ConnectionDescription): void {
  const { name, givenName } = description;
  events.emit('connection.closed', {
    name,
    pid: name,
    node,
    ...clientFacts(description),
    ...(givenName === null ? {} : { user_provided_name: givenName }),
  });
}

export function authenticated(events: BrokerEvents, description: ConnectionDescription, user: string, failure: string | null): void {
  events.emit(failure === null ? 'user.authentication.success' : 'user.authentication.failure', {
    name: user,
    connection_type: 'network',
    connection_name: description.name,
    host: hostFact(description.host),
    peer_host: hostFact(description.peerHost),
    peer_port: description.peerPort,
    protocol: protocolFact(description.protocol),
    auth_mechanism: description.mechanism,
    ssl: description.isTls,
    ...(failure === null ? {} : { error: failure }),
  });
}

export function channelCreated(events: BrokerEvents, channel: ChannelIdentity, vhost: string): void {
  const name = channelName(channel.connectionName, channel.number);
  events.emit('channel.created', {
    name,
    pid: name,
    connection: channel.connectionName,
    number: channel.number,
    user: channel.user,
    vhost,
    user_who_performed_action: channel.user,
  });
}

export function channelClosed(events: BrokerEvents, channel: ChannelIdentity): void {
  const name = channelName(channel.connectionName, channel.number);
  events.emit('channel.closed', { name, pid: name, user_who_performed_action: channel.user });
}

export function consumerCreated(events: BrokerEvents, channel: ChannelIdentity, consumer: Consumer): void {
  events.emit('consumer.created', {
    ...consumerFacts(channel, consumer),
    exclusive: consumer.isExclusive,
    ack_required: !consumer.noAck,
    prefetch_count: consumer.prefetchCount,
    arguments: argumentFacts(consumer.arguments),
    user_who_performed_action: channel.user,
  });
}

export function consumerDeleted(events: BrokerEvents, channel: ChannelIdentity, consumer: Consumer, isByClient: boolean): void {
  events.emit('consumer.deleted', {
    ...consumerFacts(channel, consumer),
    user_who_performed_action: isByClient ? channel.user : internalUser,
  });
}

function consumerFacts(channel: ChannelIdentity, consumer: Consumer): Record<string, Json> {
  return {
    consumer_tag: consumer.tag,
    channel: channelName(channel.connectionName, channel.number),
    queue: consumer.queue.name,
    vhost: consumer.queue.vhostName,
  };
}

function clientFacts(description: ConnectionDescription): Record<string, Json> {
  return { client_properties: erlangTableItems(tableFromJson(description.clientProperties)) };
}

/** [RabbitMQ prints the protocol's version as a tuple] */
function protocolFact(protocol: string): string {
  return protocol === 'AMQP 0-9-1' ? '{0,9,1}' : protocol === 'AMQP 1.0' ? '{1,0}' : protocol;
}

/** An address as the tuple that RabbitMQ prints; IPv6 addresses and host names as they are. */
function hostFact(host: string): string {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) ? `{${host.replaceAll('.', ',')}}` : host;
}
