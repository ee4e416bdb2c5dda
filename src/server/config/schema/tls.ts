import { type Area, familyKey, ignoredKey, key, optionalKey } from '../key.ts';
import { integer, oneOf, readableFile, secret, someText } from '../value-type.ts';
import { tlsKeys } from './tls-keys.ts';

export const AMQP_TLS = tlsKeys('ssl_options', 'full');

export const TLS = {
  none: optionalKey('ssl_options', oneOf('none'), 'none forgets every other ssl_options key.'),
  loginFrom: key(
    'ssl_cert_login_from',
    oneOf('distinguished_name', 'common_name', 'subject_alternative_name', 'subject_alt_name'),
    'distinguished_name',
    "Which part of a client's certificate is its user name (mechanism EXTERNAL).",
  ),
  loginSanType: key(
    'ssl_cert_login_san_type',
    oneOf('dns', 'ip', 'email', 'uri', 'other_name'),
    'dns',
    'Which kind of subject alternative name is the user name.',
  ),
  loginSanIndex: key('ssl_cert_login_san_index', integer(0, 1000), '0', 'Which one of that kind, from 0.'),
  sniHost: familyKey('warren.sni.$name.hostname', someText, 'A further name this server is reached by, which has its own certificate.'),
  sniCertFile: familyKey('warren.sni.$name.certfile', readableFile, "File with that name's certificate and chain in PEM."),
  sniKeyFile: familyKey('warren.sni.$name.keyfile', readableFile, "File with that certificate's private key in PEM."),
  sniPassword: familyKey('warren.sni.$name.password', secret, 'Password of that private key, if it is encrypted.'),
};

export const TLS_AREA: Area = {
  title: 'TLS',
  introduction: 'For AMQP listeners and those of MQTT and STOMP.',
  keys: [
    ...Object.values(AMQP_TLS),
    ...Object.values(TLS),
    ignoredKey('ssl_options.bypass_pem_cache', 'there is no such cache'),
    ignoredKey('ssl_allow_poodle_attack', 'SSL 3 does not exist here'),
  ],
};
