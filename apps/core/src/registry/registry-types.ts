import type { RegistryInfo, RegistryProviderInfos } from '@haven/api';

const FILTERS = [{ type: 'name', style: 'input' }, { type: 'tag', style: 'input' }];
const TRIGGERS = ['manual', 'scheduled'];

/** What each kind of registry can be asked for. */
const TYPES = {
  harbor: {
    supported_resource_filters: [...FILTERS, { type: 'label', style: 'input' }, { type: 'resource', style: 'radio', values: ['image', 'artifact'] }],
    supported_triggers: TRIGGERS,
    supported_copy_by_chunk: true,
  },
  'docker-registry': {
    supported_resource_filters: [...FILTERS, { type: 'resource', style: 'radio', values: ['image'] }],
    supported_triggers: TRIGGERS,
    supported_copy_by_chunk: false,
  },
} as const satisfies Record<string, Omit<RegistryInfo, 'type'>>;

export type RegistryType = keyof typeof TYPES;

export const REGISTRY_TYPES = Object.keys(TYPES) as RegistryType[];

export function isRegistryType(text: string): text is RegistryType {
  return Object.hasOwn(TYPES, text);
}

export function registryInfo(type: RegistryType): RegistryInfo {
  const { supported_resource_filters: filters, supported_triggers: triggers, supported_copy_by_chunk: chunks } = TYPES[type];
  return { type, supported_resource_filters: filters.map((filter) => ({ ...filter, ...('values' in filter ? { values: [...filter.values] } : {}) })) as RegistryInfo['supported_resource_filters'], supported_triggers: [...triggers], supported_copy_by_chunk: chunks };
}

/** This installation itself: the only source of events. */
export function localInfo(): RegistryInfo {
  const info = registryInfo('harbor');
  return { ...info, supported_triggers: [...info.supported_triggers, 'event_based'] };
}

/** How forms for each kind look: every address, key and secret is free text. */
export const PROVIDER_INFOS: RegistryProviderInfos = Object.fromEntries(REGISTRY_TYPES.map((type) => [type, {
  endpoint_pattern: { endpoint_type: 'EndpointPatternTypeStandard', endpoints: [] },
  credential_pattern: { access_key_type: 'AccessKeyTypeStandard', access_key_data: '', access_secret_type: 'AccessSecretTypeStandard', access_secret_data: '' },
}]));
