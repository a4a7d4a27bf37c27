import { Controller, Get } from '@nestjs/common';
import { RegistryProviderInfos, RegistryProviderTypes } from '@haven/api';
import { Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds } from '../http/response.interceptor.js';
import { PROVIDER_INFOS, REGISTRY_TYPES } from './registry-types.js';

/** The kinds of registries that there are. */
@Controller('api/v2.0/replication')
export class AdapterController {
  @Get('adapters')
  @Operation({ id: 'listRegistryProviderTypes', tag: 'registry', summary: 'List the kinds of registries that can be made known' })
  @Requires(systemPermission('replication-adapter', 'list'))
  @Responds(RegistryProviderTypes)
  types(): string[] {
    return [...REGISTRY_TYPES];
  }

  @Get('adapterinfos')
  @Operation({ id: 'listRegistryProviderInfos', tag: 'registry', summary: 'Tell what a form for each kind of registry asks for' })
  @Requires(systemPermission('replication-adapter', 'list'))
  @Responds(RegistryProviderInfos)
  infos(): RegistryProviderInfos {
    return PROVIDER_INFOS;
  }
}
