// The keys below `ssl_options.` and the other places where RabbitMQ has a set of TLS options.
import { type Effect, familyKey, ignoredKey, key, optionalKey } from '../key.ts';
import { boolean, integer, oneOf, readableFile, secret, someText } from '../value-type.ts';

const NODE_DECIDES = 'TLS is done by Node.js and OpenSSL, which have no such switch';

/** TLS options that are read from below `prefix` (`ssl_options`, `management.ssl`). */
export function tlsKeys(prefix: string, effect: Effect) {
  return {
    certFile: optionalKey(`${prefix}.certfile`, readableFile, "File with the server's certificate, and its chain, in PEM.", { effect }),
    keyFile: optionalKey(`${prefix}.keyfile`, readableFile, "File with the certificate's private key in PEM.", { effect }),
    caFile: optionalKey(
      `${prefix}.cacertfile`,
      readableFile,
      'File with the authorities that client certificates are checked against, in PEM.',
      { effect },
    ),
    password: optionalKey(`${prefix}.password`, secret, 'Password of the private key, if it is encrypted.', { effect }),
    verify: key(
      `${prefix}.verify`,
      oneOf('verify_none', 'verify_peer'),
      'verify_none',
      'verify_peer asks clients for a certificate and checks it.',
      { effect },
    ),
    failIfNoPeerCert: key(
      `${prefix}.fail_if_no_peer_cert`,
      boolean,
      'false',
      'With verify_peer: refuse clients that send no certificate.',
      { effect },
    ),
    depth: key(`${prefix}.depth`, integer(0, 255), '10', "How many intermediate certificates a client's chain may have.", { effect }),
    versions: familyKey(
      `${prefix}.versions.$n`,
      oneOf('tlsv1.3', 'tlsv1.2', 'tlsv1.1', 'tlsv1', 'sslv3'),
      'TLS versions to offer; versions older than 1.2 are never offered.',
      {
        effect,
        defaultText: 'tlsv1.3, tlsv1.2',
      },
    ),
    ciphers: familyKey(`${prefix}.ciphers.$n`, someText, "Cipher suites to offer, by OpenSSL's names, best first.", {
      effect,
      defaultText: "Node.js's list",
    }),
    honorCipherOrder: key(
      `${prefix}.honor_cipher_order`,
      boolean,
      'true',
      "Choose the cipher suite by the server's order, not the client's.",
      { effect },
    ),
    // What RabbitMQ hands to Erlang's TLS and has no counterpart here.
    honorEccOrder: ignoredKey(`${prefix}.honor_ecc_order`, NODE_DECIDES),
    clientRenegotiation: ignoredKey(
      `${prefix}.client_renegotiation`,
      'renegotiation is limited to three in ten minutes and does not exist in TLS 1.3',
    ),
    secureRenegotiate: ignoredKey(`${prefix}.secure_renegotiate`, 'insecure renegotiation does not exist'),
    reuseSessions: ignoredKey(`${prefix}.reuse_sessions`, 'sessions are resumed by tickets'),
    crlCheck: ignoredKey(`${prefix}.crl_check`, 'certificate revocation lists are not looked up'),
    crlSources: ignoredKey(`${prefix}.crl_sources.**`, 'certificate revocation lists are not looked up'),
    dhFile: ignoredKey(`${prefix}.dhfile`, 'key exchange is by elliptic curves only'),
    dh: ignoredKey(`${prefix}.dh`, 'key exchange is by elliptic curves only'),
    pskIdentity: ignoredKey(`${prefix}.psk_identity`, 'pre-shared keys are not supported'),
    inlineAuthorities: ignoredKey(`${prefix}.cacerts.$name`, `give the authorities as a file, ${prefix}.cacertfile`),
    inlineCertificate: ignoredKey(`${prefix}.cert`, `give the certificate as a file, ${prefix}.certfile`),
    inlineKey: ignoredKey(`${prefix}.key.$type`, `give the key as a file, ${prefix}.keyfile`),
    logLevel: ignoredKey(`${prefix}.log_level`, 'failed handshakes are logged with their reason'),
    logAlert: ignoredKey(`${prefix}.log_alert`, 'failed handshakes are logged with their reason'),
  };
}

export type TlsKeys = ReturnType<typeof tlsKeys>;
