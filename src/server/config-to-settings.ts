// What the configuration means to the broker: the same things, as its parts call them.
import type { HashingAlgorithm } from '../core/access/user.ts';
import { type BrokerSettings, defaultSettings } from '../core/settings.ts';
import type { StompOptions } from '../protocols/stomp/options.ts';
import type { BrokerOptions } from './broker.ts';
import type { Config } from './config/config.ts';
import { protocolListeners } from './protocol-listeners.ts';
import type { MqttOptions } from '../protocols/mqtt/options.ts';
import { applyVhostDefaults } from './vhost-defaults.ts';

/** How often the disk is looked at. */
const diskCheckMillis = 1000;

export function brokerSettings(config: Config): BrokerSettings {
  const { limits } = config;
  return {
    nodeName: config.nodeName,
    clusterName: config.clusterName,
    product: config.product.name,
    productVersion: config.product.version,
    messageBytesMax: limits.messageBytesMax,
    frameBytesMax: limits.frameBytesMax,
    initialFrameBytesMax: limits.initialFrameBytesMax,
    channelsMax: limits.channelMax,
    heartbeatSeconds: limits.heartbeatSeconds,
    handshakeTimeoutMillis: limits.handshakeMillis,
    sendTimeoutMillis: defaultSettings.sendTimeoutMillis,
    // To the broker 0 is "for ever".
    consumerTimeoutMillis: Number.isFinite(limits.consumerTimeoutMillis) ? limits.consumerTimeoutMillis : 0,
    defaultQueueType: config.defaults.queueType,
    connectionsMax: limits.connectionMax,
    connectionsPerAddressMax: limits.connectionsPerAddressMax,
    unauthenticatedConnectionsMax: limits.preauthConnectionsMax,
    channelsPerNodeMax: limits.channelsPerNodeMax,
    consumersPerChannelMax: limits.consumersPerChannelMax,
    queuesMax: limits.queueMax,
    bindingsMax: limits.bindingMax,
    unackedPerChannelMax: limits.unackedPerChannelMax,
    outboxBytesMax: limits.outboxBytesMax,
    queueIndexBytesMax: limits.queueIndexBytesMax,
    queueIndexBlockPlaces: defaultSettings.queueIndexBlockPlaces,
    loopbackUsers: config.loopbackUsers,
    mechanisms: config.authMechanisms,
    anonymousUser: config.anonymousLogin?.user ?? null,
    eventExchangeVhost: config.eventExchange.vhost ?? config.defaults.vhost,
    logExchangeVhost: config.log.exchange === null ? null : config.defaults.vhost,
  };
}

/** All options of a configured broker but logger and definitions, which are not in the configuration themselves. */
export function brokerOptions(config: Config): BrokerOptions {
  const { defaults, limits, memory, disk } = config;
  return {
    listeners: protocolListeners(config),
    user: defaults.user,
    password: defaults.password.reveal(),
    vhost: defaults.vhost,
    first: { tags: defaults.userTags, permissions: defaults.permissions, hashingAlgorithm: hashingAlgorithm(config) },
    hasFirstObjects: config.definitions.path === null,
    skipsUnchangedDefinitions: config.definitions.skipIfUnchanged,
    settings: brokerSettings(config),
    stomp: stompOptions(config),
    onVhostAdded: (core, vhost) => applyVhostDefaults(core, vhost, defaults, hashingAlgorithm(config)),
    certificateLogin: config.certificateLogin,
    ...(config.anonymousLogin === null ? {} : { anonymousPassword: config.anonymousLogin.password.reveal() }),
    loginThrottle: { failuresPerUserMax: limits.loginFailuresPerMinuteMax },
    ...(config.dataDir === null ? {} : { dataDir: config.dataDir }),
    mqtt: mqttOptions(config),
    memory: { watermarkBytes: memory.watermarkBytes, totalBytes: memory.totalMemoryBytes, checkIntervalMillis: memory.checkIntervalMillis },
    disk: { freeBytesMin: disk.freeLimitBytes, checkIntervalMillis: diskCheckMillis },
  };
}

function mqttOptions(config: Config): Partial<MqttOptions> {
  const { anonymousLogin, certificateLogin, clientIdFrom, listeners: _, webSocket: __, ...rest } = config.mqtt;
  return {
    ...rest,
    anonymousLogin: anonymousLogin === null ? null : { user: anonymousLogin.user, password: anonymousLogin.password.reveal() },
    certificateLogin: certificateLogin ? config.certificateLogin : null,
    clientIdFrom:
      clientIdFrom === null ? null : { from: clientIdFrom.part, sanType: clientIdFrom.sanType, sanIndex: clientIdFrom.sanIndex },
  };
}

function stompOptions({ stomp, certificateLogin }: Config): StompOptions {
  const { defaultLogin } = stomp;
  return {
    defaultLogin: defaultLogin === null ? null : { user: defaultLogin.user, password: defaultLogin.password.reveal() },
    defaultVhost: stomp.defaultVhost,
    defaultTopicExchange: stomp.defaultTopicExchange,
    implicitConnect: stomp.implicitConnect,
    certificateLogin: stomp.certificateLogin,
    certificateName: certificateLogin,
    loginMillis: stomp.loginMillis,
    preauthFrameBytesMax: stomp.preauthFrameBytesMax,
    frameBytesMax: stomp.frameBytesMax,
    hideServerInfo: stomp.hideServerInfo,
    defaultNackRequeue: stomp.defaultNackRequeue,
  };
}

function hashingAlgorithm(config: Config): HashingAlgorithm {
  return config.passwordHashing === 'sha512' ? 'rabbit_password_hashing_sha512' : 'rabbit_password_hashing_sha256';
}
