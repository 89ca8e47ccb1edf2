"""Salesforce's weekly Data Export: Account, Opportunity, OpportunityHistory and Case, all cells quoted, UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from kpi.demo import sales
from kpi.demo.company import Account, Case, Company, Deal, identifier
from kpi.demo.exports import any_time, columns, office_time, utc, write_csv

_EMPTY_ID: Final = "000000000000000AAA"
_ADMIN: Final = "0055g000009XyzQAAS"

_ACCOUNT: Final = columns(
    "Id,IsDeleted,MasterRecordId,Name,Type,ParentId,BillingStreet,BillingCity,BillingState,BillingPostalCode,BillingCountry,Phone,Website,Industry,"
    "AnnualRevenue,NumberOfEmployees,Description,OwnerId,CreatedDate,CreatedById,LastModifiedDate,LastModifiedById,SystemModstamp,LastActivityDate,"
    "AccountSource,Region__c,Owner_Name__c"
)
_OPPORTUNITY: Final = columns(
    "Id,IsDeleted,AccountId,IsPrivate,Name,Description,StageName,StageSortOrder,Amount,Probability,ExpectedRevenue,TotalOpportunityQuantity,CloseDate,"
    "Type,NextStep,LeadSource,IsClosed,IsWon,ForecastCategory,ForecastCategoryName,CampaignId,HasOpportunityLineItem,Pricebook2Id,OwnerId,CreatedDate,"
    "CreatedById,LastModifiedDate,LastModifiedById,SystemModstamp,LastActivityDate,LastStageChangeDate,FiscalYear,FiscalQuarter,"
    "PrimaryPartnerAccountId,ContractId,CurrencyIsoCode,Owner_Name__c,Product__c,List_Amount__c,Loss_Reason__c"
)
_HISTORY: Final = columns(
    "Id,OpportunityId,CreatedById,CreatedDate,CreatedDateForInsert,StageName,Amount,ExpectedRevenue,CloseDate,Probability,FromForecastCategory,"
    "ForecastCategory,PrevForecastUpdate,FromOpportunityStageName,PrevOpportunityStageUpdate,ValidThroughDate,SystemModstamp,IsDeleted"
)
_CASE: Final = columns(
    "Id,IsDeleted,CaseNumber,ContactId,AccountId,AssetId,BusinessHoursId,ParentId,SuppliedName,SuppliedEmail,SuppliedPhone,SuppliedCompany,Type,Status,"
    "Reason,Origin,Subject,Priority,Description,IsClosed,ClosedDate,IsEscalated,OwnerId,IsClosedOnCreate,CreatedDate,CreatedById,LastModifiedDate,"
    "LastModifiedById,SystemModstamp,EventsProcessedDate,Product__c"
)

#: Stage -> its order, probability in percent, forecast category.
_STAGES: Final = {
    **{
        stage: (str(2 * i + 1), p, c)
        for i, (stage, p, c) in enumerate(
            zip(sales.STAGES, (10, 25, 60, 85), ("Pipeline", "Pipeline", "BestCase", "Forecast"), strict=True)
        )
    },
    sales.WON: ("9", 100, "Closed"),
    sales.LOST: ("10", 0, "Omitted"),
}
_TYPES: Final = {"new": "New Business", "expansion": "Existing Business", "renewal": "Renewal"}


def write(company: Company, folder: Path) -> Iterator[tuple[Path, int]]:
    """Write the four files; yields each with its number of records."""
    for name, header, rows in (
        ("Account.csv", _ACCOUNT, [_account(account, company) for account in company.accounts]),
        ("Opportunity.csv", _OPPORTUNITY, [_opportunity(deal) for deal in company.deals]),
        ("OpportunityHistory.csv", _HISTORY, [row for deal in company.deals for row in _history(deal)]),
        ("Case.csv", _CASE, [_case(case) for case in company.cases]),
    ):
        path = folder / name
        write_csv(path, [header, *(_ordered(header, row) for row in rows)], quote_all=True)
        yield path, len(rows)


def _ordered(header: Sequence[str], row: dict[str, str]) -> list[str]:
    return [row.get(column, "") for column in header]


def _owner(name: str) -> str:
    return identifier("0055g00000", sum(name.encode()) * 7 + 50_000, 15) + "AAC"


def _account(account: Account, company: Company) -> dict[str, str]:
    created = utc(office_time(account.created_on, account.id))
    # Somebody keeps the last account up to date on the last day, so that accounts are known to reach there.
    modified = utc(office_time(company.end, account.id)) if account is company.accounts[-1] else created
    return {
        "Id": account.id,
        "IsDeleted": "0",
        "MasterRecordId": "",
        "Name": account.name,
        "Type": "Customer - Direct",
        "ParentId": _EMPTY_ID,
        "BillingCountry": account.country,
        "Website": f"https://www.{account.domain}/",
        "Industry": account.industry,
        "NumberOfEmployees": "" if account.employees is None else str(account.employees),
        "OwnerId": _owner(account.owner),
        "CreatedDate": created,
        "CreatedById": _ADMIN,
        "LastModifiedDate": modified,
        "LastModifiedById": _ADMIN,
        "SystemModstamp": modified,
        "Region__c": account.region,
        "Owner_Name__c": account.owner,
    }


def _instants(deal: Deal) -> list[str]:
    """When each stage was entered; stages of one day come minutes after each other."""
    return [utc(office_time(stage.day, deal.id, 7 * position)) for position, stage in enumerate(deal.stages)]


def _opportunity(deal: Deal) -> dict[str, str]:
    instants = _instants(deal)
    order, probability, category = _STAGES[deal.stages[-1].name]
    decided = deal.closed_on or deal.expected_on
    owner = _owner(deal.owner)
    return {
        "Id": deal.id,
        "IsDeleted": "0",
        "AccountId": deal.account.id,
        "IsPrivate": "0",
        "Name": deal.name,
        "StageName": deal.stages[-1].name,
        "StageSortOrder": order,
        "Amount": str(deal.amount),
        "Probability": str(probability),
        "ExpectedRevenue": str(deal.amount * probability / 100),
        "CloseDate": f"{decided} 00:00:00",
        "Type": _TYPES[deal.kind],
        "LeadSource": deal.lead_source,
        "IsClosed": str(int(deal.closed_on is not None)),
        "IsWon": str(int(deal.is_won)),
        "ForecastCategory": category,
        "ForecastCategoryName": category,
        "CampaignId": _EMPTY_ID,
        "OwnerId": owner,
        "CreatedDate": instants[0],
        "CreatedById": owner,
        "LastModifiedDate": instants[-1],
        "LastModifiedById": owner,
        "SystemModstamp": instants[-1],
        "LastStageChangeDate": instants[-1],
        "FiscalYear": str(decided.year),
        "FiscalQuarter": str((decided.month + 2) // 3),
        "CurrencyIsoCode": "EUR",
        "Owner_Name__c": deal.owner,
        "Product__c": deal.product.name,
        "List_Amount__c": str(deal.list_amount),
        "Loss_Reason__c": deal.lost_reason,
    }


def _history(deal: Deal) -> Iterator[dict[str, str]]:
    for position, (stage, instant) in enumerate(zip(deal.stages, _instants(deal), strict=True)):
        _, probability, category = _STAGES[stage.name]
        yield {
            "Id": "008" + deal.id[3:12] + f"{position:02}" + deal.id[-4:],
            "OpportunityId": deal.id,
            "CreatedById": _owner(deal.owner),
            "CreatedDate": instant,
            "CreatedDateForInsert": instant,
            "StageName": stage.name,
            "Amount": str(deal.amount),
            "ExpectedRevenue": str(deal.amount * probability / 100),
            "CloseDate": f"{deal.expected_on} 00:00:00",
            "Probability": str(probability),
            "ForecastCategory": category,
            "FromOpportunityStageName": deal.stages[position - 1].name if position else "",
            "SystemModstamp": instant,
            "IsDeleted": "0",
        }


def _case(case: Case) -> dict[str, str]:
    created = any_time(case.created_on, case.id)
    closed = None
    if case.closed_on is not None:
        # On the day it came a case is closed in that day's last minute: the export must not reach into the next week.
        same = created.replace(hour=23, minute=59, second=59)
        closed = same if case.closed_on == case.created_on else any_time(case.closed_on, case.number)
    return {
        "Id": case.id,
        "IsDeleted": "0",
        "CaseNumber": case.number,
        "AccountId": case.account.id,
        "AssetId": _EMPTY_ID,
        "ParentId": _EMPTY_ID,
        "Type": "Problem",
        "Status": "New" if closed is None else "Closed",
        "Origin": "Web",
        "Subject": case.subject,
        "Priority": case.priority,
        "Description": case.description,
        "IsClosed": str(int(closed is not None)),
        "ClosedDate": utc(closed),
        "IsEscalated": "0",
        "OwnerId": _ADMIN,
        "IsClosedOnCreate": "0",
        "CreatedDate": utc(created),
        "CreatedById": _ADMIN,
        "LastModifiedDate": utc(closed or created),
        "LastModifiedById": _ADMIN,
        "SystemModstamp": utc(closed or created),
        "Product__c": case.product.name,
    }
