import { Injectable } from '@nestjs/common';
import { parseSubjectId, type Caller } from '@haven/access';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { loginName } from '../identity/robot-name.js';
import { ActorNamesStore } from './actor-names.store.js';

/** Who did something, by the name that people know. */
@Injectable()
export class ActorNamesService {
  constructor(
    private readonly store: ActorNamesStore,
    private readonly configuration: ConfigurationService,
  ) {}

  /**
   * The names behind subjects such as `user:3`. Those who are not logged in see what happened in public projects, but not
   * who did it: they are told no names.
   */
  async namesFor(caller: Caller, subjects: readonly string[]): Promise<(subject: string) => string> {
    if (caller.subject.kind === 'anonymous') return () => '';
    const [{ users, robots }, { robot_name_prefix: prefix }] = await Promise.all([this.store.find(subjects), this.configuration.current()]);
    return (text) => {
      const subject = parseSubjectId(text);
      if (subject?.kind === 'user') return users.get(subject.id) ?? text;
      const robot = subject?.kind === 'robot' ? robots.get(subject.id) : undefined;
      return robot === undefined ? text : loginName(prefix, robot);
    };
  }
}
