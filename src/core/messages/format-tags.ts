// Tags of message formats, one per protocol's way to write properties. They are stored with durable messages: never change one.

export const amqp091FormatTag = 1;
export const mqttFormatTag = 2;
