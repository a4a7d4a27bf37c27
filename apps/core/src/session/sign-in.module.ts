import { Module } from '@nestjs/common';
import { HttpModule } from '../http/http.module.js';
import { SessionModule } from './session.module.js';
import { OwnSessionController } from './own-session.controller.js';
import { OwnSessionService } from './own-session.service.js';
import { SignInController } from './sign-in.controller.js';

/** Logging in and out, and one's own sessions. */
@Module({ imports: [HttpModule, SessionModule], controllers: [SignInController, OwnSessionController], providers: [OwnSessionService] })
export class SignInModule {}
