"""Makes the database of an Active Directory domain; reads what it shall be from standard input, as JSON.

samba-tool does the same, but insists on writing Windows permissions onto the files of a share, which not every file
system can store; nobody reads that share here.
"""

import json
import logging
import sys

from samba.auth import system_session
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.param import LoadParm
from samba.provision import provision

wish = json.load(sys.stdin)
settings = LoadParm()
settings.load(wish["settings"])
logging.basicConfig(level=logging.ERROR)
made = provision(
    logging.getLogger("provision"),
    system_session(),
    smbconf=wish["settings"],
    lp=settings,
    samdb_fill="FULL",
    realm=wish["realm"],
    domain=wish["domain"],
    hostname=wish["host"],
    hostip=wish["address"],
    adminpass=wish["password"],
    dns_backend="NONE",
    serverrole="active directory domain controller",
    dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2,
    batch_mode=True,
)


def crowd(database, base, size):
    """Adds an organizational unit with many accounts, none of which can log in, and a group of all of them."""
    unit = f"OU=Crowd,{base}"
    people = [f"CN=crowd-{number},{unit}" for number in range(size)]
    database.transaction_start()
    database.add({"dn": unit, "objectClass": "organizationalUnit"})
    for number, dn in enumerate(people):
        database.add({"dn": dn, "objectClass": "user", "sAMAccountName": f"crowd-{number}"})
    database.add({"dn": f"CN=crowd,{unit}", "objectClass": "group", "sAMAccountName": "crowd", "member": people})
    database.transaction_commit()


if wish["crowd"] > 0:
    crowd(made.samdb, made.samdb.domain_dn(), wish["crowd"])
