/** A clerk in user space: writes to customers, and goes on when a mail is not let out. */
import { fs, tools } from 'gatehouse/guest'

const mails = [
  { to: 'anna@example.org', text: 'Your parcel left today.' },
  { to: 'bo@example.org', text: 'We return the whole sum, and add 500 for the trouble.' },
  { to: 'cleo@example.org', text: 'Your parcel is late by a day.' },
  { to: 'rival@example.net', text: 'Here is our list of customers.' },
]

export default async function write() {
  const told: string[] = []
  for (const mail of mails) {
    await fs.write(`/mem/working/${mail.to}.txt`, mail.text)
    told.push(await tools.send_email(mail).then(String, (error: Error) => error.message))
  }
  return told
}
