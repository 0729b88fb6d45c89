import { App } from 'aws-cdk-lib'
import { AccountsStage } from './accounts-stage.ts'
import { addNag } from './nag.ts'
import { STAGES, stageNamed } from './stages.ts'

/** Every stage, or the one of `-c stage=<name>`. */
const app = new App()
const asked: unknown = app.node.tryGetContext('stage')
for (const settings of asked === undefined ? STAGES : [stageNamed(String(asked))]) new AccountsStage(app, settings)
addNag(app)
app.synth()
