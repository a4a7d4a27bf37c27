import { readFileSync } from 'node:fs';
import { Attribute, Change, Client } from 'ldapts';

/** The server of a test, as tools/test-services/slapd.mjs starts it. */
interface RunningSlapd {
  readonly port: number;
  readonly securePort: number;
  readonly baseDn: string;
  readonly manager: string;
  readonly password: string;
  readonly authority: string;
  pause(): void;
  resume(): void;
  halt(): Promise<void>;
  revive(): Promise<void>;
  stop(): Promise<void>;
}

interface SlapdModule {
  obstacle(): string | undefined;
  startSlapd(options: { readonly ldif: string; readonly tls?: boolean }): Promise<RunningSlapd>;
}

export const BASE = 'dc=haven,dc=test';
export const PEOPLE = `ou=people,${BASE}`;
export const GROUPS = `ou=groups,${BASE}`;
/** Who searches for core: an account like others, to which the server's limits apply. */
const SEARCH_DN = `cn=search,${BASE}`;
export const SEARCH_PASSWORD = 'Search-account-1';
/** The password of everybody in the directory. */
export const DIRECTORY_PASSWORD = 'Directory-1';

async function load(): Promise<SlapdModule> {
  return (await import(new URL('../../../../../../tools/test-services/slapd.mjs', import.meta.url).href)) as SlapdModule;
}

/** Why there can be no OpenLDAP on this machine; undefined when there can be one. */
export async function openLdapObstacle(): Promise<string | undefined> {
  return (await load()).obstacle();
}

/** A real OpenLDAP with what a test wants in it. */
export class OpenLdap {
  private constructor(readonly server: RunningSlapd) {}

  static async start(entries: readonly string[], options: { readonly tls?: boolean } = {}): Promise<OpenLdap> {
    const roots = [
      `dn: ${BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: haven\no: Haven\n`,
      ...['people', 'more', 'groups'].map((name) => `dn: ou=${name},${BASE}\nobjectClass: organizationalUnit\nou: ${name}\n`),
    ];
    roots.push(entry(SEARCH_DN, [['objectClass', 'applicationProcess'], ['objectClass', 'simpleSecurityObject'], ['cn', 'search'], ['userPassword', SEARCH_PASSWORD]]));
    return new OpenLdap(await (await load()).startSlapd({ ldif: [...roots, ...entries].join('\n'), ...options }));
  }

  get authority(): string {
    return readFileSync(this.server.authority, 'utf8');
  }

  /** The settings with which core reads this directory. */
  settings(): Readonly<Record<string, unknown>> {
    return {
      ldap_url: `ldaps://127.0.0.1:${this.server.securePort}`, ldap_base_dn: BASE, ldap_search_dn: SEARCH_DN, ldap_search_password: SEARCH_PASSWORD,
      ldap_uid: 'uid', ldap_scope: 2, ldap_filter: '(objectClass=inetOrgPerson)', ldap_verify_cert: true, ldap_ca_certificate: this.authority, ldap_timeout: 10,
      ldap_group_base_dn: GROUPS, ldap_group_search_filter: '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))', ldap_group_attribute_name: 'cn',
    };
  }

  async change(work: (client: Client) => Promise<void>): Promise<void> {
    const client = new Client({ url: `ldap://127.0.0.1:${this.server.port}`, timeout: 30_000 });
    await client.bind(this.server.manager, this.server.password);
    try {
      await work(client);
    } finally {
      await client.unbind();
    }
  }

  addMember(group: string, member: string, attribute = 'member'): Promise<void> {
    return this.change((client) => client.modify(group, new Change({ operation: 'add', modification: new Attribute({ type: attribute, values: [member] }) })));
  }

  removeMember(group: string, member: string, attribute = 'member'): Promise<void> {
    return this.change((client) => client.modify(group, new Change({ operation: 'delete', modification: new Attribute({ type: attribute, values: [member] }) })));
  }

  replace(dn: string, attribute: string, values: string[]): Promise<void> {
    return this.change((client) => client.modify(dn, new Change({ operation: 'replace', modification: new Attribute({ type: attribute, values }) })));
  }

  addPerson(dn: string, uid: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    return this.change((client) => client.add(dn, { objectClass: ['inetOrgPerson'], cn: uid, sn: uid, uid, userPassword: DIRECTORY_PASSWORD, ...more }));
  }

  remove(dn: string): Promise<void> {
    return this.change((client) => client.del(dn));
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}

/** LDIF of a person. Values are written in base64, so that they may hold anything. */
export function person(uid: string, { dn = `uid=${uid},${PEOPLE}`, cn = uid, mail = `${uid}@haven.test` }: { readonly dn?: string; readonly cn?: string; readonly mail?: string } = {}): string {
  return entry(dn, [['objectClass', 'inetOrgPerson'], ['uid', uid], ['cn', cn], ['sn', cn], ['mail', mail], ['userPassword', DIRECTORY_PASSWORD]]);
}

/** LDIF of a group. */
export function group(name: string, members: readonly string[], { dn = `cn=${name},${GROUPS}`, unique = false }: { readonly dn?: string; readonly unique?: boolean } = {}): string {
  return entry(dn, [['objectClass', unique ? 'groupOfUniqueNames' : 'groupOfNames'], ['cn', name], ...members.map((member) => [unique ? 'uniqueMember' : 'member', member] as const)]);
}

export function personDn(uid: string): string {
  return `uid=${uid},${PEOPLE}`;
}

export function groupDn(name: string): string {
  return `cn=${name},${GROUPS}`;
}

function entry(dn: string, attributes: readonly (readonly [string, string])[]): string {
  return [['dn', dn] as const, ...attributes].map(([name, value]) => `${name}:: ${Buffer.from(value).toString('base64')}\n`).join('');
}
