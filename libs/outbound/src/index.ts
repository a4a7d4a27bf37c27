export { FakeOutboundClient, type FakeAnswer } from './fake-outbound-client.js';
export { GuardedClient, type GuardedClientParts, type Resolve } from './guarded-client.js';
export { OutboundClient, type OutboundLimits, type OutboundRequest, type OutboundResponse, type OutboundTls } from './outbound-client.js';
export { OutboundError, type OutboundFault } from './outbound-error.js';
export { headerFault } from './outbound-headers.js';
export { outboundRules, OutboundRules, parseOutboundRules } from './outbound-rules.js';
export { urlFault } from './outbound-url.js';
export { isHealthyRegistry, registrySecretContext, type ReachableRegistry } from './registry/probe-registry.js';
