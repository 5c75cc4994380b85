import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.js'
import { root } from './root.js'

/** nginx with the block of deploy/nginx.conf before servers on these two ports. Needs Debian's package nginx-light. */
export class Nginx {
  readonly url: string
  readonly folder: string
  #child: ReturnType<typeof spawn>

  private constructor (url: string, folder: string) {
    this.url = url
    this.folder = folder
    this.#child = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], { stdio: ['ignore', 'ignore', 'inherit'] })
  }

  static async start (ports: readonly [number, number]): Promise<Nginx> {
    const folder = await mkdtemp(join(tmpdir(), 'nginx-'))
    const port = await freePort()
    await writeFile(join(folder, 'nginx.conf'), await configuration(port, ports, folder))
    const nginx = new Nginx(`http://127.0.0.1:${port}`, folder)
    while (!await fetch(`${nginx.url}/livez`).then(({ ok }) => ok, () => false)) await sleep(50)
    return nginx
  }

  async stop (): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await exited
    await rm(this.folder, { recursive: true, force: true })
  }

  /** The last lines of its log. */
  async errors (): Promise<string> {
    return (await readFile(join(this.folder, 'error.log'), 'utf8')).split('\n').slice(-20).join('\n')
  }
}

async function configuration (front: number, [one, other]: readonly [number, number], folder: string): Promise<string> {
  const block = await readFile(`${root}deploy/nginx.conf`, 'utf8')
  return `
daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log warn;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  ${block.replace(':8001', `:${one}`).replace(':8002', `:${other}`).replace(':8080', `:${front}`)}
}
`
}
