import type {
  Amqp10Config,
  InterceptorConfig,
  ListenerConfig,
  LoginConfig,
  MqttConfig,
  StompConfig,
  StreamConfig,
  TlsConfig,
  WebSocketConfig,
} from '../config.ts';
import { quotable } from '../config-error.ts';
import { LISTENERS } from '../schema/listeners.ts';
import { MQTT_KEYS, MQTT_SOCKET, WEB_MQTT } from '../schema/mqtt.ts';
import { AMQP10_KEYS, STREAM_KEYS } from '../schema/other-protocols.ts';
import { QUEUES } from '../schema/queues.ts';
import { STOMP_KEYS, STOMP_SOCKET, WEB_STOMP } from '../schema/stomp.ts';
import { USERS } from '../schema/users.ts';
import type { WebSocketKeys } from '../schema/web-socket-keys.ts';
import { type BuildContext, problem } from './context.ts';
import { buildListeners, buildWebSocketListeners, socketOptions } from './listeners.ts';

function isPluginEnabled(context: BuildContext, plugin: string): boolean {
  return context.enabledPlugins?.includes(plugin) ?? false;
}

export function buildWebSocket(context: BuildContext, keys: WebSocketKeys, usualPort: number, plugin: string): WebSocketConfig {
  const { settings } = context;
  return {
    listeners: buildWebSocketListeners(context, keys, usualPort, isPluginEnabled(context, plugin)),
    path: settings.value(keys.path),
    frameBytesMax: settings.value(keys.frameBytes),
    idleMillis: settings.value(keys.idleMillis),
    connectionMax: settings.value(keys.connections),
  };
}

/** MQTT is on if anything about it is configured, or its plugin is enabled. */
export function buildMqtt(context: BuildContext, tls: TlsConfig | null, anonymousLogin: LoginConfig | null): MqttConfig {
  const { settings } = context;
  const isOn = isPluginEnabled(context, 'rabbitmq_mqtt') || settings.isAnySet(Object.values(MQTT_KEYS));
  const options = socketOptions(context, MQTT_SOCKET, MQTT_KEYS.proxyProtocol);
  const clientIdPart = settings.optional(MQTT_KEYS.clientIdFrom);
  return {
    listeners: isOn ? flat(buildListeners(context, MQTT_KEYS, options, tls, 1883)) : [],
    webSocket: buildWebSocket(context, WEB_MQTT, 15675, 'rabbitmq_web_mqtt'),
    anonymousLogin: settings.value(MQTT_KEYS.allowAnonymous) ? mqttLogin(context, anonymousLogin) : null,
    vhost: settings.value(MQTT_KEYS.vhost),
    exchange: settings.value(MQTT_KEYS.exchange),
    prefetch: settings.value(MQTT_KEYS.prefetch),
    sessionExpirySecondsMax: settings.value(MQTT_KEYS.sessionSeconds),
    mailboxSoftLimit: settings.value(MQTT_KEYS.mailbox),
    durableQueueType: settings.value(MQTT_KEYS.queueType),
    certificateLogin: settings.value(MQTT_KEYS.certificateLogin),
    clientIdFrom:
      clientIdPart === null
        ? null
        : { part: clientIdPart, sanType: settings.value(MQTT_KEYS.sanType), sanIndex: settings.value(MQTT_KEYS.sanIndex) },
    sparkplug: settings.value(MQTT_KEYS.sparkplug),
    disconnectOnUnauthorized: settings.value(MQTT_KEYS.disconnectUnauthorized),
    preauthPacketBytesMax: settings.value(MQTT_KEYS.packetBytesBeforeLogin),
    packetBytesMax: settings.value(MQTT_KEYS.packetBytes),
    topicAliasMax: settings.value(MQTT_KEYS.topicAliases),
    loginMillis: settings.value(MQTT_KEYS.loginMillis),
    connectionMax: settings.value(MQTT_KEYS.connections),
    sessionsMax: settings.value(MQTT_KEYS.sessions),
    subscriptionsMax: settings.value(MQTT_KEYS.subscriptions),
    receiveMax: settings.value(MQTT_KEYS.receiveMax),
    keepAliveSecondsMax: settings.value(MQTT_KEYS.keepAliveSeconds),
    topicLevelsMax: settings.value(MQTT_KEYS.topicLevels),
    queuedBytesMax: settings.value(MQTT_KEYS.queuedBytes),
    serverReference: settings.optional(MQTT_KEYS.serverReference) ?? '',
    retained: { messagesMax: settings.value(MQTT_KEYS.retainedCount), bytesMax: settings.value(MQTT_KEYS.retainedBytes) },
  };
}

/** mqtt.default_user goes before anonymous_login_user, as it is the more special one. */
function mqttLogin(context: BuildContext, anonymousLogin: LoginConfig | null): LoginConfig | null {
  const user = context.settings.optional(MQTT_KEYS.oldUser);
  if (user === null) return anonymousLogin;
  return { user, password: context.settings.optional(MQTT_KEYS.oldPassword) ?? context.settings.value(USERS.anonymousPassword) };
}

/** STOMP is on if anything about it is configured, or its plugin is enabled. */
export function buildStomp(context: BuildContext, tls: TlsConfig | null): StompConfig {
  const { settings } = context;
  const isOn = isPluginEnabled(context, 'rabbitmq_stomp') || settings.isAnySet(Object.values(STOMP_KEYS));
  const options = socketOptions(context, STOMP_SOCKET, STOMP_KEYS.proxyProtocol);
  const [user, password] = [settings.optional(STOMP_KEYS.user), settings.optional(STOMP_KEYS.password)];
  if ((user === null) !== (password === null)) {
    problem(
      context,
      settings.where(user === null ? STOMP_KEYS.password : STOMP_KEYS.user),
      'stomp.default_user and stomp.default_pass need each other',
    );
  }
  return {
    listeners: isOn ? flat(buildListeners(context, STOMP_KEYS, options, tls, 61613)) : [],
    webSocket: buildWebSocket(context, WEB_STOMP, 15674, 'rabbitmq_web_stomp'),
    defaultLogin: user === null || password === null ? null : { user, password },
    defaultVhost: settings.value(STOMP_KEYS.vhost),
    defaultTopicExchange: settings.value(STOMP_KEYS.topicExchange),
    implicitConnect: settings.value(STOMP_KEYS.implicitConnect),
    certificateLogin: settings.value(STOMP_KEYS.certificateLogin),
    loginMillis: settings.value(STOMP_KEYS.loginMillis),
    preauthFrameBytesMax: settings.value(STOMP_KEYS.frameBytesBeforeLogin),
    frameBytesMax: settings.value(STOMP_KEYS.frameBytes),
    connectionMax: settings.value(STOMP_KEYS.connections),
    hideServerInfo: settings.value(STOMP_KEYS.hideServer),
    defaultNackRequeue: settings.value(STOMP_KEYS.nackRequeue),
  };
}

/** The stream protocol is on if a listener is configured, or its plugin is enabled. */
export function buildStream(context: BuildContext, tls: TlsConfig | null): StreamConfig {
  const { settings } = context;
  const isOn = isPluginEnabled(context, 'rabbitmq_stream') || settings.isAnySet([STREAM_KEYS.tcp, STREAM_KEYS.tls]);
  const options = { backlog: 1024, noDelay: true, keepAlive: false, proxyProtocol: settings.value(LISTENERS.proxyProtocol) };
  return {
    listeners: isOn ? flat(buildListeners(context, STREAM_KEYS, options, tls, 5552)) : [],
    advertised: {
      host: settings.optional(STREAM_KEYS.host),
      port: settings.optional(STREAM_KEYS.port),
      tlsHost: settings.optional(STREAM_KEYS.tlsHost),
      tlsPort: settings.optional(STREAM_KEYS.tlsPort),
    },
    initialCredits: settings.value(STREAM_KEYS.credits),
    creditsRequiredForUnblocking: settings.value(STREAM_KEYS.creditsToUnblock),
    frameBytesMax: settings.value(STREAM_KEYS.frameMax),
    heartbeatSeconds: settings.value(STREAM_KEYS.heartbeat),
    connectionMax: settings.value(STREAM_KEYS.connections),
  };
}

export function buildAmqp10(context: BuildContext): Amqp10Config {
  const { settings } = context;
  return {
    defaultVhost: settings.optional(AMQP10_KEYS.vhost) ?? settings.value(USERS.vhost),
    sessionsPerConnectionMax: settings.value(AMQP10_KEYS.sessions),
    linksPerSessionMax: settings.value(AMQP10_KEYS.links),
  };
}

export function buildInterceptors(context: BuildContext): readonly InterceptorConfig[] {
  const interceptors: InterceptorConfig[] = [];
  for (const { name, value, where } of context.settings.members(QUEUES.interceptors)) {
    if (name === 'set_header_timestamp' || name === 'set_header_routing_node') interceptors.push({ name, overwrite: value });
    else problem(context, where, `there is no message interceptor ${quotable(name)}`);
  }
  return interceptors;
}

function flat(listeners: {
  readonly plain: readonly ListenerConfig[];
  readonly secure: readonly ListenerConfig[];
}): readonly ListenerConfig[] {
  return [...listeners.plain, ...listeners.secure];
}
