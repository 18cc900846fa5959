"""The tables of Pairbook; a row knows itself, its states and its legal moves, and asks no queries."""

from webapp.models.accounts import (
    Actor,
    AuditEntry,
    Permission,
    Role,
    RoleView,
    SeenForm,
    Setting,
    SignIn,
    SignInTry,
    User,
)
from webapp.models.base import Base
from webapp.models.catalog import BaseProduct, Price, PriceList, Product, ProductWords
from webapp.models.channels import Channel, SendMode
from webapp.models.imports import ImportChange, ImportJob, ImportKind, ImportPreset, ImportState
from webapp.models.links import (
    ActStep,
    Aside,
    BatchVerb,
    Decision,
    Link,
    LinkBatch,
    LinkSource,
    NearMiss,
    PastLink,
    Refusal,
    Suggestion,
)
from webapp.models.listings import Listing, ListingCount, ListingState
from webapp.models.propagation import Attempt, AttemptState, Outcome, RunKind, RunState, SyncRun
from webapp.models.schedules import Every, Schedule
from webapp.models.stock import StockLevel, Warehouse
from webapp.models.suggesting import SuggestClaim, SuggestRun
from webapp.models.suspicions import Recheck, RecheckOf, Suspicion

__all__ = [
    "ActStep",
    "Actor",
    "Aside",
    "Attempt",
    "AttemptState",
    "AuditEntry",
    "Base",
    "BaseProduct",
    "BatchVerb",
    "Channel",
    "Decision",
    "Every",
    "ImportChange",
    "ImportJob",
    "ImportKind",
    "ImportPreset",
    "ImportState",
    "Link",
    "LinkBatch",
    "LinkSource",
    "Listing",
    "ListingCount",
    "ListingState",
    "NearMiss",
    "Outcome",
    "PastLink",
    "Permission",
    "Price",
    "PriceList",
    "Product",
    "ProductWords",
    "Recheck",
    "RecheckOf",
    "Refusal",
    "Role",
    "RoleView",
    "RunKind",
    "RunState",
    "Schedule",
    "SeenForm",
    "SendMode",
    "Setting",
    "SignIn",
    "SignInTry",
    "StockLevel",
    "SuggestClaim",
    "SuggestRun",
    "Suggestion",
    "Suspicion",
    "SyncRun",
    "User",
    "Warehouse",
]
