import { Injectable } from '@nestjs/common';
import { openSecret, sealSecret, type Caller } from '@haven/access';
import { parseQuery, parseSort, Problem, type Page, type Registry, type RegistryInfo, type RegistryListQuery, type RegistryPing, type RegistryReq, type RegistryUpdate } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { isHealthyRegistry, OutboundClient, registrySecretContext } from '@haven/outbound';
import { recordAudit } from '../audit/record-audit.js';
import { mapPage } from '../listing/select-page.js';
import { CoreOptions } from '../platform/core-options.js';
import { changedRegistry, MASK, newRegistry, pingedRegistry, type RegistryAccess, type RegistryDescription } from './registry-rules.js';
import { localInfo, registryInfo } from './registry-types.js';
import { deleteRegistry, insertRegistry, nextRegistryId, RegistryStore, updateRegistry, type RegistryRow, type RegistryToStore } from './registry.store.js';

const NO_REGISTRY = 'there is no such registry';
/** One sentence for every reason, so that nobody can look around in networks that only this server sees. */
const UNHEALTHY = 'the registry is unhealthy: check its address, its certificate and the credentials; a private address must be allowed with HAVEN_OUTBOUND_ALLOW';
const LOCAL = 0;

/** Other registries that this installation knows. */
@Injectable()
export class RegistryService {
  constructor(
    private readonly store: RegistryStore,
    private readonly database: Database,
    private readonly outbound: OutboundClient,
    private readonly options: CoreOptions,
  ) {}

  async list({ name, q, sort, page, page_size: size }: RegistryListQuery): Promise<Page<Registry>> {
    return mapPage(await this.store.list({ name, terms: parseQuery(q), sort: parseSort(sort), page, size }), registryOf);
  }

  async get(id: number): Promise<Registry> {
    return registryOf(await this.#find(id));
  }

  async info(id: number): Promise<RegistryInfo> {
    return id === LOCAL ? localInfo() : registryInfo((await this.#find(id)).type);
  }

  /** Resolves to the new registry's id. */
  async create(caller: Caller, request: RegistryReq): Promise<number> {
    const registry = newRegistry(request);
    if (await this.store.isNameTaken(registry.name)) throw taken(registry.name);
    await this.#requireHealthy(registry);
    return this.database.transaction(async (transaction) => {
      const id = await nextRegistryId(transaction);
      if (!(await insertRegistry(transaction, id, this.#sealed(id, registry)))) throw taken(registry.name);
      await audit(transaction, caller, 'create', registry.name);
      return id;
    });
  }

  async update(caller: Caller, id: number, request: RegistryUpdate): Promise<void> {
    const row = await this.#find(id);
    const registry = changedRegistry(this.#opened(row), request);
    if (registry.name !== row.name && (await this.store.isNameTaken(registry.name))) throw taken(registry.name);
    await this.#requireHealthy(registry);
    await this.database.transaction(async (transaction) => {
      const outcome = await updateRegistry(transaction, id, row.updatedAt, this.#sealed(id, registry));
      if (outcome === 'taken') throw taken(registry.name);
      if (outcome === 'gone') throw new Problem('CONFLICT', 'somebody else changed or deleted the registry just now; read it again');
      await audit(transaction, caller, 'update', registry.name);
    });
  }

  async delete(caller: Caller, id: number): Promise<void> {
    const { name } = await this.#find(id);
    await this.database.transaction(async (transaction) => {
      const outcome = await deleteRegistry(transaction, id);
      if (outcome === 'gone') throw new Problem('NOT_FOUND', NO_REGISTRY);
      if (outcome === 'used') throw new Problem('PRECONDITION', `the registry ${name} is in use; take it out of replication policies and proxy projects first`);
      await audit(transaction, caller, 'delete', name);
    });
  }

  /** Rejects with BAD_REQUEST, the same for every reason, when the registry does not answer as one. */
  async ping(request: RegistryPing): Promise<void> {
    const { id } = request;
    const known = id === undefined || id === null || id === LOCAL ? undefined : this.#opened(await this.#find(id));
    await this.#requireHealthy(pingedRegistry(request, known));
  }

  async #requireHealthy(registry: RegistryAccess): Promise<void> {
    if (!(await isHealthyRegistry(this.outbound, registry))) throw new Problem('BAD_REQUEST', UNHEALTHY);
  }

  async #find(id: number): Promise<RegistryRow> {
    const row = id === LOCAL ? undefined : await this.store.find(id);
    if (row === undefined) throw new Problem('NOT_FOUND', NO_REGISTRY);
    return row;
  }

  #opened({ id, sealedSecret, ...row }: RegistryRow): RegistryDescription {
    return { ...row, accessSecret: sealedSecret === undefined ? '' : openSecret(this.options.secretKey, sealedSecret, registrySecretContext(id)) };
  }

  #sealed(id: number, { accessSecret, ...registry }: RegistryDescription): RegistryToStore {
    return { ...registry, sealedSecret: accessSecret === '' ? undefined : sealSecret(this.options.secretKey, accessSecret, registrySecretContext(id)), healthy: true };
  }
}

/** The registry in the API's form, without its secret. */
function registryOf(row: RegistryRow): Registry {
  const credential = { type: row.credentialType, access_key: row.accessKey, access_secret: row.sealedSecret === undefined ? '' : MASK };
  return {
    id: row.id, name: row.name, description: row.description, type: row.type, url: row.url, insecure: row.insecure, ca_certificate: row.caCertificate,
    ...(row.accessKey === '' && row.sealedSecret === undefined ? {} : { credential }),
    status: row.healthy ? 'healthy' : 'unhealthy', creation_time: row.createdAt.toISOString(), update_time: row.updatedAt.toISOString(),
  };
}

async function audit(transaction: Transaction, caller: Caller, operation: 'create' | 'update' | 'delete', name: string): Promise<void> {
  await recordAudit(transaction, caller, { operation, resourceType: 'registry', resource: name, description: `${operation} registry: ${name}` });
}

function taken(name: string): Problem {
  return new Problem('CONFLICT', `there is a registry called ${name} already; choose another name`);
}
